// Points by WebGL2. Same methods as RasterPoints.

const VERTEX_SHADER = `#version 300 es
in vec2 place; in float code; in float on;
uniform vec4 toClip; uniform float size; uniform float wanted; uniform sampler2D palette; uniform vec3 off;
out vec3 colour;
void main() {
  gl_Position = vec4(place * toClip.xy + toClip.zw, 0.0, 1.0);
  if (on != wanted) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size + 1.0;
  colour = wanted > 0.5 ? texelFetch(palette, ivec2(int(code), 0), 0).rgb : off;
}`;

const FRAGMENT_SHADER = `#version 300 es
precision highp float;
in vec3 colour; uniform float size; uniform float alpha; out vec4 pixel;
void main() {
  float edge = (size + 1.0) * length(gl_PointCoord - 0.5);
  float cover = clamp(size * 0.5 + 0.5 - edge, 0.0, 1.0) * alpha;
  if (cover < 0.02) discard;
  pixel = vec4(colour * cover, cover);
}`;

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

function rendererName(gl) {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

class WebGLPoints {
  /** Throws where there is no WebGL2, or only one drawn by the processor, for which RasterPoints is faster. */
  constructor(canvas, x, y, order, allowSlow) {
    const options = { antialias: false, alpha: false, failIfMajorPerformanceCaveat: !allowSlow, preserveDrawingBuffer: true };
    const gl = canvas.getContext("webgl2", options);
    if (!gl || (!allowSlow && SOFTWARE.test(rendererName(gl)))) throw new Error("no fast WebGL2");
    Object.assign(this, { gl, canvas, order, name: "webgl" });
    this.program = this.link();
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const places = new Uint16Array(2 * order.length);
    for (let k = 0; k < order.length; k++) {
      places[2 * k] = x[order[k]];
      places[2 * k + 1] = y[order[k]];
    }
    this.attribute("place", places, 2);
    this.setOn(null);
  }

  link() {
    const gl = this.gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX_SHADER], [gl.FRAGMENT_SHADER, FRAGMENT_SHADER]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }

  attribute(name, array, width) {
    const gl = this.gl;
    this.buffers ??= {};
    this.buffers[name] ??= gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.STATIC_DRAW);
    const location = gl.getAttribLocation(this.program, name);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, width, array.BYTES_PER_ELEMENT === 2 ? gl.UNSIGNED_SHORT : gl.UNSIGNED_BYTE, false, 0, 0);
  }

  setCodes(codes) {
    this.attribute("code", inOrder(codes, this.order), 1);
  }

  setOn(on) {
    this.on = on;
    this.attribute("on", on ? inOrder(on, this.order) : new Uint8Array(this.order.length).fill(1), 1);
  }

  setColours(palette, off, background) {
    const gl = this.gl;
    this.background = background.map((value) => value / 255);
    this.off = off.map((value) => value / 255);
    gl.bindTexture(gl.TEXTURE_2D, (this.texture ??= gl.createTexture()));
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    const texels = Uint8Array.from(palette.flatMap((rgb) => [...rgb, 255]));
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  draw(view, look, ratio, limit) {
    const gl = this.gl;
    const uniform = (name) => gl.getUniformLocation(this.program, name);
    const { ax, bx, ay, by } = view.stepsToScreen();
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(...this.background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const [sx, sy] = [2 / view.width, -2 / view.height];
    gl.uniform4f(uniform("toClip"), ax * sx, ay * sy, bx * sx - 1, by * sy + 1);
    gl.uniform1f(uniform("size"), look.diameter * ratio);
    gl.uniform3f(uniform("off"), ...this.off);
    for (const wanted of this.on ? [0, 1] : [1]) {
      gl.uniform1f(uniform("wanted"), wanted);
      gl.uniform1f(uniform("alpha"), wanted ? look.alpha : 0.3 * look.alpha);
      gl.drawArrays(gl.POINTS, 0, limit);
    }
  }
}

function inOrder(bytes, order) {
  const sorted = new Uint8Array(order.length);
  for (let k = 0; k < order.length; k++) sorted[k] = bytes[order[k]];
  return sorted;
}
