// What lies over the points: paths, pins, the ring around the molecule pointed at, the lasso.

class Overlay {
  constructor(map, canvas) {
    Object.assign(this, { map, canvas, context: canvas.getContext("2d"), pointed: -1, lasso: null, spot: null });
  }

  draw() {
    const { context, map, canvas } = this;
    context.setTransform(map.ratio, 0, 0, map.ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    map.paths.forEach((path) => path.shown && this.drawPath(path));
    map.labels.draw(context, this.colours());
    map.pins.list.forEach((i, at) => this.drawPin(map.screenOf(i), String(map.pins.list.length - at)));
    if (this.spot) this.ring(this.spot, 7);
    if (this.pointed >= 0) this.ring(map.screenOf(this.pointed), Math.max(map.look().diameter / 2 + 3, 6));
    if (this.lasso) this.drawLasso();
  }

  colours() {
    return this.map.theme === "dark" ? { ink: "#ffffff", halo: "#14161b" } : { ink: "#14161b", halo: "#ffffff" };
  }

  ring([px, py], radius) {
    const { ink, halo } = this.colours();
    for (const [width, style] of [[4.5, halo], [2, ink]]) {
      this.context.lineWidth = width;
      this.context.strokeStyle = style;
      this.context.beginPath();
      this.context.arc(px, py, radius, 0, 7);
      this.context.stroke();
    }
  }

  drawPin([px, py], text) {
    const { context } = this;
    const { ink, halo } = this.colours();
    this.ring([px, py], 6);
    context.font = "600 11px system-ui, sans-serif";
    context.lineWidth = 3.5;
    context.strokeStyle = halo;
    context.strokeText(text, px + 9, py - 6);
    context.fillStyle = ink;
    context.fillText(text, px + 9, py - 6);
  }

  drawPath(path) {
    const { context, map } = this;
    const { halo } = this.colours();
    const points = path.places.map(([x, y]) => map.view.toScreen(x, y));
    if (!points.length) return;
    if (path.line === false) return points.forEach((at) => this.dot(at, points.length > 60 ? 3 : 4.2, path.colour[map.theme], halo));
    context.lineJoin = "round";
    for (const [width, style] of [[4.5, halo], [2.2, path.colour[map.theme]]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.beginPath();
      points.forEach(([px, py]) => context.lineTo(px, py));
      context.stroke();
    }
    points.slice(1, -1).forEach((at) => this.dot(at, 2.6, path.colour[map.theme], null));
    this.dot(points[0], 5, halo, path.colour[map.theme]);
    this.star(points.at(-1), 10, path.colour[map.theme], halo);
  }

  dot([px, py], radius, fill, edge) {
    const { context } = this;
    context.beginPath();
    context.arc(px, py, radius, 0, 7);
    context.fillStyle = fill;
    context.fill();
    if (!edge) return;
    context.lineWidth = 2;
    context.strokeStyle = edge;
    context.stroke();
  }

  star([px, py], radius, fill, edge) {
    const { context } = this;
    context.beginPath();
    for (let corner = 0; corner < 10; corner++) {
      const [reach, angle] = [corner % 2 ? 0.45 * radius : radius, (corner / 5 - 0.5) * Math.PI];
      context.lineTo(px + reach * Math.cos(angle), py + reach * Math.sin(angle));
    }
    context.closePath();
    context.lineWidth = 2.5;
    context.strokeStyle = edge;
    context.stroke();
    context.fillStyle = fill;
    context.fill();
  }

  drawLasso() {
    const { context } = this;
    context.beginPath();
    this.lasso.forEach(([px, py]) => context.lineTo(px, py));
    context.closePath();
    context.fillStyle = "rgba(70, 130, 230, 0.14)";
    context.fill();
    context.setLineDash([5, 4]);
    context.lineWidth = 1.5;
    context.strokeStyle = this.colours().ink;
    context.stroke();
    context.setLineDash([]);
  }

  /** The path and point number within reach of (px, py), or null. */
  pathPointAt(px, py) {
    let [found, nearest] = [null, 10];
    for (const path of this.map.paths.filter((candidate) => candidate.shown)) {
      path.places.forEach((place, at) => {
        const [x, y] = this.map.view.toScreen(...place);
        const distance = Math.hypot(x - px, y - py);
        if (distance < nearest) [found, nearest] = [{ path, at }, distance];
      });
    }
    return found;
  }
}
