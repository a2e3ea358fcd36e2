import type { Backend, BackendOptions, Picture, Window } from "./backend";
import { ENTRIES, type MapName, tableOf } from "./colour";
import { planeToScreen, toPlane } from "./geometry";

/** Colours 0..255 of the raw values in a linear window. */
export function windowed(
  pixels: Int16Array,
  window: Window,
  map: MapName,
  invert: boolean,
  out: Uint8ClampedArray,
): void {
  const table = tableOf(map);
  const low = window.level - window.width / 2;
  const scale = (ENTRIES - 1) / window.width;
  for (let i = 0; i < pixels.length; i++) {
    const share = Math.min(255, Math.max(0, ((pixels[i] as number) - low) * scale));
    const entry = Math.round(invert ? ENTRIES - 1 - share : share) * 3;
    out[i * 4] = table[entry] as number;
    out[i * 4 + 1] = table[entry + 1] as number;
    out[i * 4 + 2] = table[entry + 2] as number;
    out[i * 4 + 3] = 255;
  }
}

interface CanvasPane {
  readonly host: HTMLElement;
  readonly canvas: HTMLCanvasElement;
}

/** Draws with the two-dimensional canvas, so that reading works without WebGL. */
export function makeCanvasBackend({ hosts }: BackendOptions): Backend {
  let slice = new OffscreenCanvas(1, 1);
  let pixels = new ImageData(1, 1);
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

  function fill(picture: Picture): void {
    const [, rows, columns] = picture.grid.shape;
    if (slice.width !== columns || slice.height !== rows) {
      slice = new OffscreenCanvas(columns, rows);
      pixels = new ImageData(columns, rows);
    }
    windowed(
      picture.images.section(picture.role, picture.grid.plane, picture.slice),
      picture.window,
      picture.map,
      picture.invert,
      pixels.data,
    );
    (slice.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(pixels, 0, 0);
  }

  function paint(pane: CanvasPane, picture: Picture): void {
    fill(picture);
    const context = sized(pane);
    const size = { width: pane.host.clientWidth, height: pane.host.clientHeight };
    const { plane, origin, spacing, shape } = picture.grid;
    const [u, v] = toPlane(plane, origin);
    const [x, y] = planeToScreen(picture.camera, size, [u - spacing[2] / 2, v - spacing[1] / 2]);
    const { scale } = picture.camera;
    context.imageSmoothingEnabled = picture.smooth;
    context.imageSmoothingQuality = "low";
    context.drawImage(slice, x, y, shape[2] * spacing[2] * scale, shape[1] * spacing[1] * scale);
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
