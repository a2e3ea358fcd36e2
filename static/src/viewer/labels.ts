/** Label maps over an image: filled in their colours, with a line around each region. */
import { type Camera, type Grid, planeToScreen, type Size, toPlane } from "./geometry";
import type { OverlayLayout } from "./layout";

export interface LabelPicture {
  readonly overlay: OverlayLayout;
  readonly grid: Grid;
  readonly pixels: Int16Array;
  readonly camera: Camera;
  readonly opacity: number;
}

const LINE_PX = 1.5;

/** Borders between a label and anything else, as segments along the edges of the voxels. */
export function outline(pixels: Int16Array, rows: number, columns: number, value: number): Path2D {
  const path = new Path2D();
  const inside = (row: number, column: number) =>
    row >= 0 &&
    row < rows &&
    column >= 0 &&
    column < columns &&
    pixels[row * columns + column] === value;
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const here = inside(row, column);
      if (here !== inside(row - 1, column)) {
        path.moveTo(column, row);
        path.lineTo(column + 1, row);
      }
      if (here !== inside(row, column - 1)) {
        path.moveTo(column, row);
        path.lineTo(column, row + 1);
      }
    }
  }
  return path;
}

function channels(colour: string): readonly [number, number, number] {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** Draws the label maps of one pane on a canvas of its own above the image. */
export class LabelLayer {
  readonly canvas = document.createElement("canvas");
  private readonly cut = new OffscreenCanvas(1, 1);
  private drawn = "";

  constructor() {
    this.canvas.className = "pane__labels";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  /** Draws anew only when `state` differs from the last time. */
  show(pictures: readonly LabelPicture[], size: Size, state: string): void {
    if (state === this.drawn) return;
    this.drawn = state;
    this.canvas.hidden = pictures.length === 0;
    if (pictures.length === 0) return;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(size.width * ratio);
    this.canvas.height = Math.round(size.height * ratio);
    const context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    for (const picture of pictures) this.draw(context, picture, size, ratio);
  }

  private draw(
    context: CanvasRenderingContext2D,
    picture: LabelPicture,
    size: Size,
    ratio: number,
  ): void {
    const { grid, camera } = picture;
    const [, rows, columns] = grid.shape;
    const [, dy, dx] = grid.spacing;
    const [u, v] = toPlane(grid.plane, grid.origin);
    const [x, y] = planeToScreen(camera, size, [u - dx / 2, v - dy / 2]);
    const [sx, sy] = [dx * camera.scale, dy * camera.scale];
    context.setTransform(ratio * sx, 0, 0, ratio * sy, ratio * x, ratio * y);
    context.imageSmoothingEnabled = false;
    this.fill(picture, rows, columns);
    context.globalAlpha = picture.opacity;
    context.drawImage(this.cut, 0, 0);
    context.globalAlpha = 1;
    for (const { value, colour } of picture.overlay.labels) {
      const path = new Path2D();
      path.addPath(
        outline(picture.pixels, rows, columns, value),
        new DOMMatrix([sx, 0, 0, sy, x, y]),
      );
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.strokeStyle = colour;
      context.lineWidth = LINE_PX;
      context.stroke(path);
    }
  }

  private fill({ overlay, pixels }: LabelPicture, rows: number, columns: number): void {
    this.cut.width = columns;
    this.cut.height = rows;
    const image = new ImageData(columns, rows);
    const colours = new Map(overlay.labels.map(({ value, colour }) => [value, channels(colour)]));
    for (let at = 0; at < pixels.length; at++) {
      const colour = colours.get(pixels[at] as number);
      if (colour) image.data.set([...colour, 255], at * 4);
    }
    (this.cut.getContext("2d") as OffscreenCanvasRenderingContext2D).putImageData(image, 0, 0);
  }
}
