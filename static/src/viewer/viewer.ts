import { h } from "../shared/dom";
import type { Backend, MakeBackend, Window } from "./backend";
import {
  type Camera,
  fitCamera,
  type Geometry,
  type Point,
  panBy,
  pixelsPerMm,
  screenToPlane,
  voxelAt,
  zoomAt,
} from "./geometry";
import type { GestureTarget, Tool } from "./gestures";
import type { CaseImages, ChunkError } from "./loader";
import type { Measure } from "./measure";
import { type Cover, Pane, type Slot } from "./pane";
import { type Chunk, ranges } from "./plan";

export interface ViewerLayout {
  readonly grid: string;
  readonly slots: readonly Slot[];
  readonly geometry: Geometry;
  readonly chunks: readonly Chunk[];
  readonly window: Window;
}

/** State of one pane as the server keeps it. */
export interface PaneState {
  readonly slice: number;
  readonly window: Window;
  readonly zoom: number;
  readonly invert: boolean;
  readonly slices_seen: readonly (readonly [number, number])[];
}

export type ViewerState = Readonly<Record<string, PaneState>>;

/** What this computer keeps besides, so that a reload shows the same picture. */
export interface ViewerExtras {
  readonly centre: Point;
  readonly measures: readonly Measure[];
}

export interface ViewerHooks {
  /** The first pane shows the case. */
  onShown(): void;
  /** Slice, window, zoom or a measure changed. */
  onChange(): void;
  onTool(tool: Tool): void;
  onFull(full: boolean): void;
  /** What to show in place of an image that did not arrive. */
  failureCover(failure: ChunkError): Cover;
}

const WINDOW_MIN = 1;
const REBUILD_DELAY_MS = 300;
const LEVEL_LIMIT = 8192;
/** Dragging across about 600 px doubles the window of the start. */
const DRAG_SPAN_PX = 600;

interface Display {
  window: Window;
  invert: boolean;
}

/** A grid of linked panes: one slice, position and zoom, a window for each. */
export class Viewer {
  readonly element: HTMLElement;
  private readonly panes: Pane[];
  private readonly displays = new Map<string, Display>();
  private backend: Backend | null = null;
  private images: CaseImages | null = null;
  private unwatch: () => void = () => undefined;
  private slice = 0;
  private camera: Camera | null = null;
  private seen: boolean[] = [];
  private measures: Measure[] = [];
  private drawing: Measure | null = null;
  private tool: Tool = "window";
  private active = 0;
  private full: number | null = null;
  private hover: { pane: number; at: Point } | null = null;
  private cover: Cover | null = null;
  private shown = false;
  private lost = false;
  private broken = false;
  private frame = 0;

  constructor(
    private readonly layout: ViewerLayout,
    private readonly makeBackend: MakeBackend,
    private readonly hooks: ViewerHooks,
  ) {
    const [rows = 1, columns = 1] = layout.grid.split("x").map(Number);
    this.panes = layout.slots.map(
      (slot, index) =>
        new Pane(slot, layout.geometry, this.gestures(index), (slice) => this.goTo(slice)),
    );
    this.element = h(
      "div",
      {
        class: "panes",
        "data-rows": rows,
        "data-columns": columns,
        "data-count": this.panes.length,
      },
      ...this.panes.map((pane) => pane.element),
    );
    this.clearCase();
    new ResizeObserver(() => this.resized()).observe(this.element);
  }

  /** Shows a case from its first slice in the middle, or as it was left. */
  open(images: CaseImages, state: ViewerState = {}, extras: ViewerExtras | null = null): void {
    this.unwatch();
    this.images = images;
    this.clearCase();
    this.restore(state, extras);
    this.unwatch = images.onChange(() => this.redraw());
    this.redraw();
  }

  close(): void {
    this.unwatch();
    this.images = null;
    this.panes.forEach((_, index) => {
      this.backend?.clear(index);
    });
  }

  setCover(cover: Cover | null): void {
    this.cover = cover;
    this.redraw();
  }

  state(): ViewerState {
    return Object.fromEntries(
      this.layout.slots.map(({ role }) => {
        const { window, invert } = this.display(role);
        const zoom = this.view().zoom;
        return [role, { slice: this.slice, window, zoom, invert, slices_seen: ranges(this.seen) }];
      }),
    );
  }

  extras(): ViewerExtras {
    return { centre: this.view().centre, measures: this.measures };
  }

  step(slices: number): void {
    this.goTo(this.slice + slices);
  }

  goTo(slice: number): void {
    const last = this.layout.geometry.shape[0] - 1;
    const wanted = Math.min(last, Math.max(0, slice));
    if (wanted === this.slice) return;
    this.slice = wanted;
    this.changed();
  }

  goToEnd(end: "first" | "last"): void {
    this.goTo(end === "first" ? 0 : this.layout.geometry.shape[0] - 1);
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.hooks.onTool(tool);
  }

  invert(): void {
    const display = this.display(this.activeRole);
    display.invert = !display.invert;
    this.changed();
  }

  /** Window, zoom and position as at the start; slice and measures stay. */
  reset(): void {
    this.displays.clear();
    this.camera = null;
    this.changed();
  }

  /** Removes the last measure of the slice shown, or tells that there was none. */
  removeMeasure(): boolean {
    const index = this.measures.findLastIndex((measure) => measure.slice === this.slice);
    if (index < 0) return false;
    this.measures = this.measures.filter((_, at) => at !== index);
    this.changed();
    return true;
  }

  toggleFull(): void {
    this.setFull(this.full === null ? this.active : null);
  }

  leaveFull(): boolean {
    if (this.full === null) return false;
    this.setFull(null);
    return true;
  }

  private setFull(pane: number | null): void {
    this.full = pane;
    this.element.classList.toggle("has-full", pane !== null);
    this.panes.forEach(({ element }, index) => {
      element.classList.toggle("is-full", index === pane);
    });
    this.hooks.onFull(pane !== null);
  }

  private get activeRole(): string {
    return (this.layout.slots[this.active] as Slot).role;
  }

  private display(role: string): Display {
    const found = this.displays.get(role) ?? { window: this.layout.window, invert: false };
    this.displays.set(role, found);
    return found;
  }

  /** All panes have one size except when one is full; that one then decides. */
  private get referencePane(): Pane {
    return this.panes[this.full ?? 0] as Pane;
  }

  private view(): Camera {
    return this.camera ?? fitCamera(this.layout.geometry, this.referencePane.size);
  }

  private clearCase(): void {
    const [nz] = this.layout.geometry.shape;
    const [z0, z1] = this.layout.chunks[0] ?? [0, nz];
    this.slice = Math.floor((z0 + z1) / 2);
    this.camera = null;
    this.displays.clear();
    this.seen = new Array<boolean>(nz).fill(false);
    this.measures = [];
    this.drawing = null;
    this.shown = false;
    this.broken = false;
    this.cover = null;
  }

  private restore(state: ViewerState, extras: ViewerExtras | null): void {
    for (const { role } of this.layout.slots) {
      const pane = state[role];
      if (!pane) continue;
      this.slice = pane.slice;
      this.displays.set(role, { window: pane.window, invert: pane.invert });
      for (const [z0, z1] of pane.slices_seen) this.seen.fill(true, z0, z1);
      // On another computer the pane has another size: zoom means little without the centre.
      if (extras) this.camera = { zoom: pane.zoom, centre: extras.centre };
    }
    this.measures = [...(extras?.measures ?? [])];
  }

  private changed(): void {
    this.redraw();
    this.hooks.onChange();
  }

  private redraw(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private resized(): void {
    this.backend?.resize();
    this.redraw();
  }

  private ready(): Backend {
    this.backend ??= this.makeBackend({
      hosts: this.panes.map((pane) => pane.host),
      geometry: this.layout.geometry,
      onLost: () => this.contextLost(),
    });
    return this.backend;
  }

  /** The arrays are still here: build the viewports anew and show the same pictures. */
  private contextLost(): void {
    if (this.lost) return;
    this.lost = true;
    this.redraw();
    setTimeout(() => this.rebuild(), REBUILD_DELAY_MS);
  }

  private rebuild(): void {
    this.backend?.dispose();
    this.backend = null;
    this.lost = false;
    this.broken = false;
    this.redraw();
  }

  private paint(): void {
    const { images } = this;
    const cover = this.currentCover();
    if (images && !cover) {
      this.seen[this.slice] = true;
      this.drawAll(images);
    }
    this.panes.forEach((pane, index) => {
      pane.setCover(cover);
      pane.element.classList.toggle("is-active", index === this.active);
      pane.show(this.overlayModel(pane, index));
    });
  }

  private drawAll(images: CaseImages): void {
    const backend = this.ready();
    const drawn = this.panes.map((pane, index) => {
      const { role } = pane.slot;
      const { window, invert } = this.display(role);
      return backend.draw(index, {
        images,
        role,
        slice: this.slice,
        window,
        invert,
        camera: this.view(),
      });
    });
    Promise.all(drawn).catch((error: unknown) => {
      console.error(error);
      this.broken = true;
      this.shown = false;
      this.redraw();
    });
    if (this.shown) return;
    this.shown = true;
    Promise.race(drawn).then(
      () => requestAnimationFrame(() => this.hooks.onShown()),
      () => undefined,
    );
  }

  private currentCover(): Cover | null {
    if (this.cover) return this.cover;
    const { images } = this;
    if (!images) return null;
    if (this.lost) {
      const text = `Putting slice ${this.slice + 1} back, same window and zoom.`;
      return { tone: "plain", title: "The display was reset", text };
    }
    if (this.broken) {
      return {
        tone: "stop",
        title: "This image could not be drawn",
        action: { label: "Try again", run: () => this.rebuild() },
      };
    }
    if (images.hasAll(this.slice)) return null;
    if (images.failure) return this.hooks.failureCover(images.failure);
    const [max] = this.layout.geometry.shape;
    const value = images.slicesLoaded;
    return { tone: "plain", title: `Loading, ${value} of ${max} slices`, progress: { value, max } };
  }

  private overlayModel(pane: Pane, index: number) {
    const { role } = pane.slot;
    const loaded = this.images?.has(role, this.slice) ?? false;
    const pixels = loaded ? (this.images as CaseImages).pixels(role, this.slice) : null;
    const others = this.hover && this.hover.pane !== index;
    return {
      size: pane.size,
      camera: this.view(),
      slice: this.slice,
      seen: this.seen,
      ...this.display(role),
      value: pixels && this.valueAtCursor(pixels),
      cursor: others && this.hover ? this.hover.at : null,
      measures: this.drawing ? [...this.measures, this.drawing] : this.measures,
      pixels,
    };
  }

  private valueAtCursor(pixels: Int16Array): number | null {
    const voxel = this.hover && voxelAt(this.layout.geometry, this.hover.at);
    if (!voxel) return null;
    return pixels[voxel[0] * this.layout.geometry.shape[2] + voxel[1]] ?? null;
  }

  private gestures(index: number): GestureTarget {
    const { geometry } = this.layout;
    const plane = (at: Point) =>
      screenToPlane(this.view(), geometry, (this.panes[index] as Pane).size, at);
    return {
      tool: () => this.tool,
      touched: () => {
        this.active = index;
      },
      hover: (at) => {
        this.hover = at && { pane: index, at: plane(at) };
        this.redraw();
      },
      scroll: (slices) => this.step(slices),
      window: (dx, dy) => this.dragWindow(dx, dy),
      zoom: (factor, at) => {
        const { size } = this.panes[index] as Pane;
        this.camera = zoomAt(this.view(), geometry, size, at, factor);
        this.changed();
      },
      pan: (dx, dy) => {
        this.camera = panBy(this.view(), geometry, dx, dy);
        this.changed();
      },
      drawBegin: (at) => this.beginMeasure(plane(at)),
      drawMove: (at) => this.moveMeasure(plane(at)),
      drawEnd: () => this.endMeasure(),
    };
  }

  private dragWindow(dx: number, dy: number): void {
    const display = this.display(this.activeRole);
    const speed = this.layout.window.width / DRAG_SPAN_PX;
    display.window = {
      width: Math.max(WINDOW_MIN, display.window.width + dx * speed),
      level: Math.min(LEVEL_LIMIT, Math.max(-LEVEL_LIMIT, display.window.level + dy * speed)),
    };
    this.changed();
  }

  private beginMeasure(at: Point): void {
    if (this.tool !== "length" && this.tool !== "ellipse") return;
    this.drawing = { kind: this.tool, slice: this.slice, from: at, to: at };
  }

  private moveMeasure(to: Point): void {
    if (!this.drawing) return;
    this.drawing = { ...this.drawing, to };
    this.redraw();
  }

  /** A click without a drag draws nothing. */
  private endMeasure(): void {
    const drawn = this.drawing;
    this.drawing = null;
    const { geometry } = this.layout;
    if (drawn) {
      const moved = Math.hypot(drawn.to[0] - drawn.from[0], drawn.to[1] - drawn.from[1]);
      if (moved * pixelsPerMm(this.view(), geometry) > 4) this.measures = [...this.measures, drawn];
    }
    this.changed();
  }
}
