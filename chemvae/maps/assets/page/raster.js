// Points without a graphics card: discs blended into the pixels of a 2D canvas. Same methods as WebGLPoints.

class RasterPoints {
  constructor(canvas, x, y, order) {
    this.context = canvas.getContext("2d", { alpha: false });
    [this.canvas, this.x, this.y, this.order] = [canvas, x, y, order];
    this.name = "raster";
  }

  /** Palette entry of each point, Uint8Array [n]. */
  setCodes(codes) {
    this.codes = codes;
  }

  /** Points to draw in full, Uint8Array [n] of 0 and 1; null for all. The rest is drawn faintly. */
  setOn(on) {
    this.on = on;
  }

  /** Colours: [256][3] of 0-255, for the points, those turned off, and the background. */
  setColours(palette, off, background) {
    Object.assign(this, { palette: palette.flat(), off, background });
  }

  draw(view, look, ratio, limit) {
    const { width, height } = this.canvas;
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      this.image = this.context.createImageData(width, height);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    const [red, green, blue] = this.background;
    this.words.fill(((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0);
    const stamp = discStamp(look.diameter * ratio, look.alpha, width);
    if (this.on) this.stampAll(view, discStamp(look.diameter * ratio, 0.3 * look.alpha, width), ratio, limit, 0);
    this.stampAll(view, stamp, ratio, limit, 1);
    this.context.putImageData(this.image, 0, 0);
  }

  stampAll(view, stamp, ratio, limit, wanted) {
    const { ax, bx, ay, by } = view.stepsToScreen();
    const { data, width, height } = this.image;
    const { order, x, y, on, codes } = this;
    const colours = wanted ? this.palette : this.off;
    const { reach, offsets, covers } = stamp;
    for (let k = 0; k < limit; k++) {
      const i = order[k];
      if (on && on[i] !== wanted) continue;
      const px = Math.round((ax * x[i] + bx) * ratio);
      const py = Math.round((ay * y[i] + by) * ratio);
      if (px < reach || py < reach || px >= width - reach || py >= height - reach) continue;
      const c = wanted ? 3 * codes[i] : 0;
      const [red, green, blue] = [colours[c], colours[c + 1], colours[c + 2]];
      const at = py * width + px;
      for (let s = 0; s < offsets.length; s++) {
        const o = (at + offsets[s]) << 2;
        const cover = covers[s];
        data[o] += ((red - data[o]) * cover) >> 8;
        data[o + 1] += ((green - data[o + 1]) * cover) >> 8;
        data[o + 2] += ((blue - data[o + 2]) * cover) >> 8;
      }
    }
  }
}

/** Pixels of a disc with a soft edge: their offsets in an image `width` wide, and opacities 0-256. */
function discStamp(diameter, alpha, width) {
  const [radius, offsets, covers] = [diameter / 2, [], []];
  const reach = Math.ceil(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = clamp(radius + 0.5 - Math.hypot(dx, dy), 0, 1) * alpha;
      if (cover > 0.02) offsets.push(dy * width + dx) && covers.push(Math.round(256 * cover));
    }
  }
  return { reach: reach + 1, offsets: Int32Array.from(offsets), covers: Int32Array.from(covers) };
}
