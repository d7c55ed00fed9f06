// Hands on the map: mouse, touch, keys.

const KEY_STEP = 60; // CSS pixels an arrow key moves the map

class Stage {
  constructor(map, root) {
    Object.assign(this, { map, root, pointers: new Map(), moved: 0, lassoMode: false, armed: map.data.fills_page });
    const listen = (name, handler, options) => root.addEventListener(name, handler.bind(this), options);
    listen("pointerdown", this.down);
    listen("pointermove", this.move);
    listen("pointerup", this.up);
    listen("pointercancel", this.up);
    listen("pointerleave", this.leave);
    listen("wheel", this.wheel, { passive: false });
    listen("dblclick", (event) => this.zoom(this.at(event), event.shiftKey ? 0.5 : 2));
    listen("keydown", this.key);
  }

  leave() {
    this.armed = this.map.data.fills_page;
    if (!this.pointers.size) this.map.point(-1);
  }

  at(event) {
    const { left, top } = this.root.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  zoom([px, py], factor) {
    this.map.view.zoomAt(px, py, factor);
    this.map.moving();
  }

  down(event) {
    if (event.button !== 0 || event.target.closest("button, .cm-tip")) return;
    this.root.setPointerCapture(event.pointerId);
    this.root.focus({ preventScroll: true });
    this.pointers.set(event.pointerId, this.at(event));
    this.moved = 0;
    this.armed = true;
    const lasso = (this.lassoMode || event.shiftKey) && this.pointers.size === 1;
    this.map.overlay.lasso = lasso ? [this.at(event)] : null;
    if (lasso) this.map.point(-1);
  }

  move(event) {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) return this.map.hover(...at);
    this.moved += Math.hypot(at[0] - before[0], at[1] - before[1]);
    if (this.map.overlay.lasso) this.drawLasso(at);
    else if (this.pointers.size === 2) this.pinch(event.pointerId, before, at);
    else this.drag(before, at);
    this.pointers.set(event.pointerId, at);
  }

  drawLasso(at) {
    this.map.overlay.lasso.push(at);
    this.map.overlay.draw();
  }

  drag(before, at) {
    if (this.moved < 4) return;
    this.root.classList.add("cm-dragging");
    this.map.view.pan(at[0] - before[0], at[1] - before[1]);
    this.map.moving();
  }

  pinch(id, before, at) {
    const other = [...this.pointers].find(([key]) => key !== id)[1];
    const apart = (p) => Math.max(Math.hypot(p[0] - other[0], p[1] - other[1]), 1);
    this.zoom(other, apart(at) / apart(before));
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.root.classList.remove("cm-dragging");
    const { lasso } = this.map.overlay;
    this.map.overlay.lasso = null;
    if (lasso && lasso.length > 4) this.map.setLasso(thinned(lasso).map((at) => this.map.view.toWorld(...at)));
    else if (this.moved < 4 && event.type === "pointerup") this.map.click(...this.at(event));
    this.map.overlay.draw();
  }

  /** In the middle of another page the wheel scrolls that page until the map was clicked. */
  wheel(event) {
    if (!this.armed && !event.ctrlKey) return;
    event.preventDefault();
    this.zoom(this.at(event), Math.exp(-clamp(event.deltaY * (event.deltaMode ? 30 : 1), -300, 300) / 400));
  }

  key(event) {
    const { map } = this;
    const { width, height } = map.view;
    const pans = { ArrowLeft: [KEY_STEP, 0], ArrowRight: [-KEY_STEP, 0], ArrowUp: [0, KEY_STEP], ArrowDown: [0, -KEY_STEP] };
    const others = {
      "+": () => this.zoom([width / 2, height / 2], 1.5),
      "=": () => this.zoom([width / 2, height / 2], 1.5),
      "-": () => this.zoom([width / 2, height / 2], 1 / 1.5),
      0: () => map.home(),
      l: () => map.toggleLasso(),
      g: () => map.gallery.toggle(),
      t: () => map.labels.toggle(),
      "/": () => map.controls.search.focus(),
      n: () => map.step(1),
      p: () => map.step(-1),
      Enter: () => map.overlay.pointed >= 0 && map.pins.toggle(map.overlay.pointed),
      Escape: () => map.clearFilters(),
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (pans[event.key]) {
      map.view.pan(...pans[event.key]);
      map.moving();
      map.pointAtCentre();
    } else if (others[event.key]) others[event.key]();
    else return;
    event.preventDefault();
  }
}

/** At most LASSO_CORNERS corners of a line that the hand drew. */
function thinned(line) {
  const every = Math.ceil(line.length / LASSO_CORNERS);
  return line.filter((_, k) => k % every === 0);
}
