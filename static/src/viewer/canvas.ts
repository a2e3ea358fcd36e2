import type { Backend, BackendOptions, Picture, Window } from "./backend";
import { planeToScreen } from "./geometry";

/** Grey values 0..255 of the raw values in a linear window. */
export function windowed(
  pixels: Int16Array,
  window: Window,
  invert: boolean,
  out: Uint8ClampedArray,
): void {
  const low = window.level - window.width / 2;
  const scale = 255 / window.width;
  for (let i = 0; i < pixels.length; i++) {
    const grey = Math.min(255, Math.max(0, ((pixels[i] as number) - low) * scale));
    const shown = invert ? 255 - grey : grey;
    out[i * 4] = shown;
    out[i * 4 + 1] = shown;
    out[i * 4 + 2] = shown;
    out[i * 4 + 3] = 255;
  }
}

interface CanvasPane {
  readonly host: HTMLElement;
  readonly canvas: HTMLCanvasElement;
}

/** Draws with the two-dimensional canvas, so that reading works without WebGL. */
export function makeCanvasBackend({ hosts, geometry }: BackendOptions): Backend {
  const [, ny, nx] = geometry.shape;
  const [, dy, dx] = geometry.spacing;
  const slice = new OffscreenCanvas(nx, ny);
  const pixels = new ImageData(nx, ny);
  const panes: CanvasPane[] = hosts.map((host) => {
    const canvas = document.createElement("canvas");
    host.replaceChildren(canvas);
    return { host, canvas };
  });

  function sized({ host, canvas }: CanvasPane): CanvasRenderingContext2D {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(host.clientWidth * ratio);
    canvas.height = Math.round(host.clientHeight * ratio);
    canvas.style.width = `${host.clientWidth}px`;
    canvas.style.height = `${host.clientHeight}px`;
    const context = canvas.getContext("2d", { alpha: false }) as CanvasRenderingContext2D;
    context.scale(ratio, ratio);
    return context;
  }

  function paint(pane: CanvasPane, picture: Picture): void {
    windowed(
      picture.images.pixels(picture.role, picture.slice),
      picture.window,
      picture.invert,
      pixels.data,
    );
    (slice.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(pixels, 0, 0);
    const context = sized(pane);
    const size = { width: pane.host.clientWidth, height: pane.host.clientHeight };
    const corner = planeToScreen(picture.camera, geometry, size, [-dx / 2, -dy / 2]);
    const scale = picture.camera.zoom / dx;
    context.imageSmoothingQuality = "low";
    context.drawImage(slice, corner[0], corner[1], nx * dx * scale, ny * dy * scale);
  }

  return {
    draw: (index, picture) =>
      new Promise((resolve) => {
        paint(panes[index] as CanvasPane, picture);
        resolve();
      }),
    clear: (index) => void sized(panes[index] as CanvasPane),
    resize: () => undefined,
    dispose: () => {
      for (const { host } of panes) host.replaceChildren();
    },
  };
}
