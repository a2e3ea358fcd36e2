import { h, setText, svg } from "../shared/dom";
import type { Window } from "./backend";
import { ColourBar } from "./colourbar";
import {
  type Camera,
  type Grid,
  LETTERS,
  type Point,
  planeToScreen,
  type Size,
  scaleBar,
} from "./geometry";
import type { OverlayLayout, SlotLayout } from "./layout";
import type { Measure } from "./measure";
import { drawMeasure } from "./marks";
import { SliceTrack } from "./track";
import { decimalsFor, formatBound, formatLevel, formatNumber, realValue } from "./values";

/** A crosshair: short arms around a linked cursor, or lines across the pane. */
export interface Cross {
  readonly at: Point;
  readonly kind: "cursor" | "lines" | "placing";
}

export interface OverlayModel {
  readonly slot: SlotLayout;
  readonly grid: Grid;
  readonly size: Size;
  readonly camera: Camera;
  readonly slice: number;
  readonly seen: readonly boolean[];
  readonly window: Window;
  readonly invert: boolean;
  /** Shown with the colour map of the study. */
  readonly coloured: boolean;
  /** Levels at the ends of the colours. */
  readonly range: readonly [number, number];
  readonly level: number | null;
  readonly crosses: readonly Cross[];
  readonly measures: readonly Measure[];
  readonly selected: string | null;
  readonly numberOf: (measure: Measure) => number;
  readonly pixels: Int16Array | null;
  /** Parts of the plane whose slices have not arrived. */
  readonly missing: readonly (readonly [Point, Point])[];
  /** A line of words for the moment: distance to the position, playing, placing with the keys. */
  readonly note: string;
  readonly legend: readonly OverlayLayout[];
}

const BAR_ROOM = 0.22;
const CURSOR_GAP = 6;
const CURSOR_ARM = 16;

const PLANE_NAMES = { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal" } as const;
const SIDES = ["top", "bottom", "left", "right"] as const;

/** Words, scale and marks over one image. */
export class Overlay {
  readonly nodes: readonly Element[];
  readonly marks = svg("svg", { class: "pane__marks", "aria-hidden": "true" });
  private readonly role = h("div");
  private readonly place = h("div");
  private readonly slice = h("div");
  private readonly value = h("div", { class: "pane__text--value" });
  private readonly note = h("div", { class: "pane__text--note" });
  private readonly window = h("div");
  private readonly zoom = h("div");
  private readonly legend = h("div", { class: "pane__legend" });
  private readonly bar = h("i");
  private readonly barLabel = h("span");
  private readonly scale: HTMLElement;
  private readonly letters = SIDES.map((side) =>
    h("div", { class: `pane__letter pane__letter--${side}` }),
  );
  private readonly colours = new ColourBar();
  private readonly track: SliceTrack;
  private legendState = "";

  constructor(chooseSlice: (slice: number) => void, presets: HTMLElement) {
    this.track = new SliceTrack(chooseSlice);
    this.scale = h("div", { class: "scale-bar" }, this.barLabel, this.bar);
    this.nodes = [
      h("div", { class: "pane__text pane__text--role" }, this.role, this.place, this.legend),
      h("div", { class: "pane__text pane__text--slice" }, this.slice, this.value, this.note),
      h(
        "div",
        { class: "pane__text pane__text--window" },
        presets,
        h("div", { class: "pane__window" }, this.window, this.zoom),
      ),
      ...this.letters,
      this.colours.element,
      this.scale,
      this.track.element,
    ];
  }

  /** Name of the pane for assistive technology. */
  name({ slot, grid, slice, window, invert, coloured }: OverlayModel): string {
    const { width, level } = windowWords(window, slot);
    const shown = coloured ? "in colours, fixed range" : `window ${width}, level ${level}`;
    return (
      `${slot.label}, ${grid.plane}, slice ${slice + 1} of ${grid.shape[0]}, ` +
      `${shown}${invert ? ", inverted" : ""}`
    );
  }

  show(model: OverlayModel): void {
    const { slot, grid, camera } = model;
    setText(this.role, slot.label);
    const single = grid.shape[0] === 1;
    const place = single
      ? `${grid.spacing[2].toFixed(2)} mm pixels`
      : `${PLANE_NAMES[grid.plane]}, ${grid.spacing[0].toFixed(1)} mm`;
    setText(this.place, place);
    this.slice.replaceChildren(
      ...(single ? [] : [h("b", {}, String(model.slice + 1)), ` / ${grid.shape[0]}`]),
    );
    setText(this.value, model.level === null ? "" : formatLevel(model.level, slot.value));
    setText(this.note, model.note);
    this.showWindow(model);
    SIDES.forEach((side, at) => {
      const letter = slot.sided === false ? "" : LETTERS[grid.plane][side];
      setText(this.letters[at] as HTMLElement, letter);
    });
    const bar = scaleBar(camera, model.size.width * BAR_ROOM);
    this.bar.style.width = `${bar.width}px`;
    setText(this.barLabel, bar.label);
    this.track.show(model.slice, model.seen, `${slot.label}, ${grid.plane}`);
    this.colours.show(model.coloured ? slot : null, model.range);
    this.showLegend(model.legend);
    this.showMarks(model);
  }

  private showWindow({ slot, window, range, invert, coloured, camera, grid }: OverlayModel): void {
    const { width, level } = windowWords(window, slot);
    const [low, high] = range.map((end) => formatBound(end, slot.value));
    const text =
      coloured && slot.colour
        ? `Range ${low} to ${high}${slot.minus ? "" : ", fixed"}`
        : `W ${width}  L ${level}`;
    setText(this.window, `${text}${invert ? "  inverted" : ""}`);
    setText(this.zoom, `Zoom ${(camera.scale * grid.spacing[2]).toFixed(1)}×`);
  }

  private showLegend(overlays: readonly OverlayLayout[]): void {
    const state = overlays.map(({ role }) => role).join(" ");
    if (state === this.legendState) return;
    this.legendState = state;
    const rows = overlays.flatMap(({ labels }) => labels);
    this.legend.replaceChildren(
      ...rows.map(({ label, colour }) => {
        const box = svg("svg", { class: "pane__swatch", "aria-hidden": "true" });
        box.append(svg("rect", { width: "100%", height: "100%", fill: colour }));
        return h("div", {}, box, label);
      }),
    );
  }

  private showMarks(model: OverlayModel): void {
    this.marks.replaceChildren(
      ...this.unloaded(model),
      ...model.crosses.flatMap((cross) => this.cross(cross, model)),
      ...model.measures.flatMap((measure) => drawMeasure(measure, model)),
    );
  }

  private unloaded({ missing, camera, size }: OverlayModel): SVGElement[] {
    return missing.map(([from, to]) => {
      const [x1, y1] = planeToScreen(camera, size, from);
      const [x2, y2] = planeToScreen(camera, size, to);
      return svg("rect", {
        class: "unloaded",
        x: Math.min(x1, x2),
        y: Math.min(y1, y2),
        width: Math.abs(x2 - x1),
        height: Math.abs(y2 - y1),
      });
    });
  }

  private cross({ at, kind }: Cross, { camera, size }: OverlayModel): SVGElement[] {
    const [x, y] = planeToScreen(camera, size, at);
    const reach = kind === "lines" ? Math.max(size.width, size.height) : CURSOR_ARM;
    const arm = (dx: number, dy: number) =>
      svg("line", {
        class: `cursor cursor--${kind}`,
        x1: x + dx * CURSOR_GAP,
        y1: y + dy * CURSOR_GAP,
        x2: x + dx * reach,
        y2: y + dy * reach,
      });
    return [arm(-1, 0), arm(1, 0), arm(0, -1), arm(0, 1)];
  }
}

/** In the values of the image, where it has any. */
function windowWords({ width, level }: Window, { value }: SlotLayout) {
  const size = value ? width * value.slope : width;
  const decimals = value ? decimalsFor(size, value.slope) : 0;
  return {
    width: formatNumber(size, decimals),
    level: formatNumber(realValue(level, value), decimals),
  };
}
