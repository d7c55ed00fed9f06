// Where the map is looked at.

const STEPS = 65535;
const HIT_RADIUS = 12; // CSS pixels around the pointer in which a point is found

/** World coordinates (longer side 1, y up) to CSS pixels (y down) and back. */
class View {
  constructor(x, y) {
    const spans = [x.high - x.low, y.high - y.low];
    const longest = Math.max(...spans) || 1;
    [this.spanX, this.spanY] = spans.map((span) => span / longest);
    [this.low, this.longest] = [[x.low, y.low], longest];
    [this.width, this.height] = [1, 1];
    this.home();
  }

  home() {
    [this.x, this.y, this.zoom] = [this.spanX / 2, this.spanY / 2, 1];
  }

  /** CSS pixels per world unit. */
  get scale() {
    return this.zoom * 0.9 * Math.min(this.width / (this.spanX || 1e-9), this.height / (this.spanY || 1e-9), 1e5);
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, this.height / 2 - (y - this.y) * this.scale];
  }

  toWorld(px, py) {
    return [(px - this.width / 2) / this.scale + this.x, (this.height / 2 - py) / this.scale + this.y];
  }

  /** The user's coordinates to world. */
  fromData([x, y]) {
    return [(x - this.low[0]) / this.longest, (y - this.low[1]) / this.longest];
  }

  /** Factors and offsets that take a coordinate step to CSS pixels: px = ax step + bx. */
  stepsToScreen() {
    const [bx, by] = this.toScreen(0, 0);
    return { ax: (this.spanX / STEPS) * this.scale, bx, ay: (-this.spanY / STEPS) * this.scale, by };
  }

  pan(dx, dy) {
    this.x = clamp(this.x - dx / this.scale, -0.2, this.spanX + 0.2);
    this.y = clamp(this.y + dy / this.scale, -0.2, this.spanY + 0.2);
  }

  zoomAt(px, py, factor) {
    const [x, y] = this.toWorld(px, py);
    this.zoom = clamp(this.zoom * factor, 0.5, 400);
    const [nowX, nowY] = this.toWorld(px, py);
    [this.x, this.y] = [this.x + x - nowX, this.y + y - nowY];
  }

  get state() {
    return [this.x, this.y, this.zoom].map((value) => parseFloat(value.toPrecision(5)));
  }

  set state([x, y, zoom]) {
    [this.x, this.y] = [clamp(x, -0.2, 1.2), clamp(y, -0.2, 1.2)];
    this.zoom = clamp(zoom, 0.5, 400);
  }
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Point diameter in CSS pixels and opacity: smaller and fainter the more there are, larger when zoomed in. */
function pointLook(view, n, factor) {
  const room = Math.sqrt((view.width * view.height) / Math.max(n, 1));
  const diameter = clamp(0.42 * room, 2, 9) * clamp(view.zoom ** 0.35, 1, 3.2) * factor;
  return { diameter: clamp(diameter, 1.5, 22), alpha: n > 20000 ? clamp(0.55 * view.zoom ** 0.2, 0.55, 0.9) : 0.88 };
}

/** A fixed random order, so that no group hides another and any beginning of it is a fair sample. */
function shuffledOrder(n) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let state = 1;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // the generator of Numerical Recipes
    const j = Math.floor((state / 4294967296) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function rgbOf(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
