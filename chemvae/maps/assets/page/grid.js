// Which point is under the pointer, which are inside the lasso.

/** Points sorted into square cells; x and y are coordinate steps, Uint16Array [n]. */
class Grid {
  constructor(x, y) {
    [this.x, this.y] = [x, y];
    this.bits = clamp(Math.round(Math.log2(Math.sqrt(x.length / 3))), 3, 10);
    this.shift = 16 - this.bits;
    const cells = 1 << (2 * this.bits);
    this.start = new Uint32Array(cells + 1);
    for (let i = 0; i < x.length; i++) this.start[this.cellOf(i) + 1]++;
    for (let cell = 0; cell < cells; cell++) this.start[cell + 1] += this.start[cell];
    const next = this.start.slice();
    this.items = new Uint32Array(x.length);
    for (let i = 0; i < x.length; i++) this.items[next[this.cellOf(i)]++] = i;
  }

  cellOf(i) {
    return ((this.y[i] >> this.shift) << this.bits) | (this.x[i] >> this.shift);
  }

  /** Index of the nearest point within `radius` pixels of (px, py) for which `on` is set, or -1. */
  nearest(view, px, py, radius, on) {
    const { ax, bx, ay, by } = view.stepsToScreen();
    const [columns, rows] = [this.range(ax, bx, px, radius), this.range(ay, by, py, radius)];
    let [best, bestSquare] = [-1, radius * radius];
    for (let row = rows[0]; row <= rows[1]; row++) {
      for (let cell = (row << this.bits) | columns[0]; cell <= ((row << this.bits) | columns[1]); cell++) {
        for (let k = this.start[cell]; k < this.start[cell + 1]; k++) {
          const i = this.items[k];
          if (on && !on[i]) continue;
          const square = (ax * this.x[i] + bx - px) ** 2 + (ay * this.y[i] + by - py) ** 2;
          if (square < bestSquare) [best, bestSquare] = [i, square];
        }
      }
    }
    return best;
  }

  /** First and last cell that `radius` pixels around `at` reach, along one axis. */
  range(factor, offset, at, radius) {
    if (Math.abs(factor) < 1e-12) return [0, (1 << this.bits) - 1];
    const ends = [(at - radius - offset) / factor, (at + radius - offset) / factor];
    return [Math.min(...ends), Math.max(...ends)].map((end) => clamp(Math.floor(end), 0, STEPS) >> this.shift);
  }

  /** Mask [n] of the points inside a polygon of screen positions (even-odd rule). */
  inside(view, polygon) {
    const { ax, bx, ay, by } = view.stepsToScreen();
    const mask = new Uint8Array(this.x.length);
    const [xs, ys] = [polygon.map((p) => p[0]), polygon.map((p) => p[1])];
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    for (let i = 0; i < mask.length; i++) {
      const [px, py] = [ax * this.x[i] + bx, ay * this.y[i] + by];
      if (px >= left && px <= right && py >= top && py <= bottom && insidePolygon(px, py, xs, ys)) mask[i] = 1;
    }
    return mask;
  }
}

function insidePolygon(px, py, xs, ys) {
  let inside = false;
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    if (ys[i] > py !== ys[j] > py && px < ((xs[j] - xs[i]) * (py - ys[i])) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
  }
  return inside;
}
