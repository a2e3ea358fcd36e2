// The least a page can do with the same bytes: fetch chunks, upload a slice, draw four canvases.
const VERTEX = `#version 300 es
in vec2 at; out vec2 uv;
void main() { uv = vec2(at.x, 1.0 - at.y); gl_Position = vec4(at * 2.0 - 1.0, 0, 1); }`;
const FRAGMENT = `#version 300 es
precision highp float; precision highp isampler2D;
uniform isampler2D image; uniform vec2 window; in vec2 uv; out vec4 colour;
void main() {
  ivec2 size = textureSize(image, 0);
  float level = float(texelFetch(image, ivec2(uv * vec2(size)), 0).r);
  colour = vec4(vec3((level - window.x) / window.y), 1);
}`;

function pane(gl) {
  const program = gl.createProgram();
  for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
  return gl.getUniformLocation(program, "window");
}

const state = await (await fetch(`/api/read/${location.hash.slice(1)}/state`)).json();
const { slots } = state.forms[0].layout;
const { images } = state.reading;
const views = slots.map((slot) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 480;
  document.body.append(canvas);
  const gl = canvas.getContext("webgl2", { preserveDrawingBuffer: true });
  return { slot, gl, place: pane(gl), slices: new Map() };
});

async function load(view, chunk) {
  const [first, end] = view.slot.chunks[chunk];
  const raw = await (await fetch(`/i/${images[view.slot.role]}/${chunk}`)).arrayBuffer();
  const size = view.slot.shape[1] * view.slot.shape[2];
  for (let z = first; z < end; z++) view.slices.set(z, new Int16Array(raw, 2 * size * (z - first), size));
}

function draw(view, z, width) {
  const { gl, slot, slices, place } = view;
  const [, rows, columns] = slot.shape;
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16I, columns, rows, 0, gl.RED_INTEGER, gl.SHORT, slices.get(z));
  gl.uniform2f(place, slot.window.level - width / 2, width);
  gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
}

const frame = () => new Promise(requestAnimationFrame);
const middle = (view) => Math.floor((view.slot.chunks[0][0] + view.slot.chunks[0][1]) / 2);
await Promise.all(views.map((view) => load(view, 0)));
for (const view of views) draw(view, middle(view), view.slot.window.width);
await frame();
await frame();
window.shownAt = performance.now();

await Promise.all(views.flatMap((view) => view.slot.chunks.slice(1).map((_, n) => load(view, n + 1))));

/** Milliseconds of each step, drawn and waited for. */
window.timeSteps = async (kind, count) => {
  const times = [];
  for (let step = 0; step < count; step++) {
    const start = performance.now();
    for (const view of kind === "scroll" ? views : views.slice(0, 1)) {
      const z = middle(view) - 20 + (kind === "scroll" ? step % 40 : 20);
      draw(view, z, view.slot.window.width + (kind === "window" ? 20 * step : 0));
    }
    await frame();
    times.push(performance.now() - start);
  }
  return times;
};
window.ready = true;
