import { h, setText, svg } from "../shared/dom";
import type { Window } from "./backend";
import {
  type Camera,
  type Geometry,
  type Point,
  planeToScreen,
  type Size,
  scaleBar,
} from "./geometry";
import { ellipseStatistics, lengthMm, type Measure } from "./measure";
import { SliceTrack } from "./track";

export interface OverlayModel {
  readonly size: Size;
  readonly camera: Camera;
  readonly slice: number;
  readonly seen: readonly boolean[];
  readonly window: Window;
  readonly invert: boolean;
  readonly value: number | null;
  /** Cursor of another pane, in the plane. */
  readonly cursor: Point | null;
  readonly measures: readonly Measure[];
  readonly pixels: Int16Array | null;
}

const BAR_ROOM = 0.22;
const CURSOR_GAP = 6;
const CURSOR_ARM = 16;

/** Words, scale and marks over one image. */
export class Overlay {
  readonly nodes: readonly Element[];
  private readonly slice = h("div");
  private readonly value = h("div", { class: "pane__text--value" });
  private readonly window = h("div");
  private readonly zoom = h("div");
  private readonly bar = h("i");
  private readonly barLabel = h("span");
  private readonly marks = svg("svg", { class: "pane__marks", "aria-hidden": "true" });
  private readonly track: SliceTrack;

  constructor(
    private readonly label: string,
    private readonly plane: string,
    private readonly geometry: Geometry,
    chooseSlice: (slice: number) => void,
  ) {
    const [nz] = geometry.shape;
    this.track = new SliceTrack(nz, label, chooseSlice);
    const place = `${plane}, ${geometry.spacing[0].toFixed(1)} mm`;
    this.nodes = [
      this.marks,
      h("div", { class: "pane__text pane__text--role" }, h("div", {}, label), h("div", {}, place)),
      h("div", { class: "pane__text pane__text--slice" }, this.slice, this.value),
      h("div", { class: "pane__text pane__text--window" }, this.window, this.zoom),
      ...["A", "P", "R", "L"].map((letter) =>
        h("div", { class: `pane__letter pane__letter--${letter.toLowerCase()}` }, letter),
      ),
      h("div", { class: "scale-bar" }, this.barLabel, this.bar),
      this.track.element,
    ];
  }

  /** Name of the pane for assistive technology. */
  name(model: OverlayModel): string {
    const { width, level } = rounded(model.window);
    const inverted = model.invert ? ", inverted" : "";
    return (
      `${this.label}, ${this.plane.toLowerCase()}, slice ${model.slice + 1} of ` +
      `${this.geometry.shape[0]}, window ${width}, level ${level}${inverted}`
    );
  }

  show(model: OverlayModel): void {
    const { width, level } = rounded(model.window);
    this.slice.replaceChildren(h("b", {}, String(model.slice + 1)), ` / ${this.geometry.shape[0]}`);
    setText(this.value, model.value === null ? "" : String(model.value));
    setText(this.window, `W ${width}  L ${level}${model.invert ? "  inverted" : ""}`);
    setText(this.zoom, `Zoom ${model.camera.zoom.toFixed(1)}×`);
    const bar = scaleBar(model.camera, this.geometry, model.size.width * BAR_ROOM);
    this.bar.style.width = `${bar.width}px`;
    setText(this.barLabel, bar.label);
    this.track.show(model.slice, model.seen);
    this.marks.replaceChildren(...this.cursor(model), ...this.measures(model));
  }

  private cursor(model: OverlayModel): SVGElement[] {
    if (!model.cursor) return [];
    const [x, y] = planeToScreen(model.camera, this.geometry, model.size, model.cursor);
    const arm = (dx: number, dy: number) =>
      svg("line", {
        class: "cursor",
        x1: x + dx * CURSOR_GAP,
        y1: y + dy * CURSOR_GAP,
        x2: x + dx * CURSOR_ARM,
        y2: y + dy * CURSOR_ARM,
      });
    return [arm(-1, 0), arm(1, 0), arm(0, -1), arm(0, 1)];
  }

  private measures(model: OverlayModel): SVGElement[] {
    return model.measures
      .filter((measure) => measure.slice === model.slice)
      .flatMap((measure) => this.measure(measure, model));
  }

  private measure(measure: Measure, model: OverlayModel): SVGElement[] {
    const [x1, y1] = planeToScreen(model.camera, this.geometry, model.size, measure.from);
    const [x2, y2] = planeToScreen(model.camera, this.geometry, model.size, measure.to);
    const toLeft = Math.max(x1, x2) > model.size.width * 0.55;
    const text = svg("text", {
      x: toLeft ? Math.min(x1, x2) - 8 : Math.max(x1, x2) + 8,
      y: (y1 + y2) / 2,
      "text-anchor": toLeft ? "end" : "start",
    });
    if (measure.kind === "length") {
      text.textContent = `${lengthMm(measure).toFixed(1)} mm`;
      return [svg("line", { class: "measure", x1, y1, x2, y2 }), text];
    }
    const found = model.pixels && ellipseStatistics(measure, this.geometry, model.pixels);
    text.textContent = found
      ? `mean ${found.mean.toFixed(0)}, SD ${found.sd.toFixed(0)}, ${found.area.toFixed(0)} mm²`
      : "";
    return [
      svg("ellipse", {
        class: "measure",
        cx: (x1 + x2) / 2,
        cy: (y1 + y2) / 2,
        rx: Math.abs(x2 - x1) / 2,
        ry: Math.abs(y2 - y1) / 2,
      }),
      text,
    ];
  }
}

function rounded(window: Window): Window {
  return { width: Math.round(window.width), level: Math.round(window.level) };
}
