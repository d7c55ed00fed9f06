// Names of regions, as many as the zoom has room for.

const LABEL_ZOOM = [0, 0.9, 2.5, 7]; // zoom from which the regions of each level are named
const LABEL_GAP = 8; // CSS pixels between two names
const SAME_NAME_GAP = 240; // as far apart stand two regions of the same name

class Labels {
  constructor(map, items) {
    this.map = map;
    this.shown = items.length > 0;
    this.items = items.map(([x, y, level, text]) => ({ place: map.view.fromData([x, y]), level, text }));
  }

  toggle() {
    this.shown = !this.shown;
    this.map.controls.labelButton?.setAttribute("aria-pressed", String(this.shown));
    this.map.overlay.draw();
    this.map.remember();
  }

  /** Deepest level that is named at this zoom. */
  get level() {
    return LABEL_ZOOM.filter((from) => this.map.view.zoom >= from).length - 1;
  }

  /** The names that fit, as { text, x, y, size }: the level of this zoom first, then coarser ones where there is room. */
  placed(measure) {
    const { view } = this.map;
    const taken = [];
    for (let level = this.level; level >= 0; level--) {
      for (const item of this.items.filter((candidate) => candidate.level === level)) {
        const [x, y] = view.toScreen(...item.place);
        const size = level === 0 ? 15 : 13;
        const half = measure(item.text, size) / 2;
        if (x - half < 2 || y < 14 || x + half > view.width - 2 || y > view.height - 8) continue;
        if (taken.some((other) => tooNear(item, x, y, half, other))) continue;
        taken.push({ text: item.text, x, y, half, size });
      }
    }
    return taken;
  }

  draw(context, { ink, halo }) {
    if (!this.shown) return;
    const font = (size) => `600 ${size}px system-ui, sans-serif`;
    const measure = (text, size) => {
      context.font = font(size);
      return context.measureText(text).width;
    };
    context.save();
    context.textAlign = "center";
    context.lineJoin = "round";
    for (const { text, x, y, size } of this.placed(measure)) {
      context.font = font(size);
      context.lineWidth = 4;
      context.strokeStyle = halo;
      context.globalAlpha = 0.85;
      context.strokeText(text, x, y);
      context.globalAlpha = 1;
      context.fillStyle = ink;
      context.fillText(text, x, y);
    }
    context.restore();
  }
}

function tooNear(item, x, y, half, other) {
  const apart = Math.hypot(x - other.x, y - other.y);
  if (item.text === other.text && apart < SAME_NAME_GAP) return true;
  return Math.abs(x - other.x) < half + other.half + LABEL_GAP && Math.abs(y - other.y) < 16 + LABEL_GAP;
}
