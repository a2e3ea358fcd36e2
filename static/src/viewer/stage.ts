/** The panes of one case: where each looks, and drawing them. Input comes from the viewer. */
import { h } from "../shared/dom";
import { type Offer } from "./actions";
import type { Backend, MakeBackend, Picture } from "./backend";
import { Displays } from "./displays";
import { Drawing, type Sheet } from "./drawing";
import {
  boxOf,
  type Camera,
  type Grid,
  type Plane,
  sliceDepth,
  type Vec3,
  wholePixels,
} from "./geometry";
import type { GestureTarget, Tool } from "./gestures";
import { type Cell, cellsOf, gridSize, panesNeeded } from "./hanging";
import { gridOf, type Hanging, type Layout, type SlotLayout } from "./layout";
import type { CaseImages, ChunkError } from "./loader";
import type { Measure } from "./measure";
import { type Cover, Pane } from "./pane";
import { Placing } from "./placing";
import { gridIn } from "./reformat";
import { labelPictures, labelState, overlayModel, type SceneContext } from "./scene";
import { Seen } from "./seen";
import { Views } from "./views";

export interface ViewerHooks {
  /** The first pane shows the case. */
  onShown(): void;
  /** Slice, window, zoom or a measure changed. */
  onChange(): void;
  /** Tool, arrangement, link or another control changed. */
  onControls(controls: Controls): void;
  onFull(full: boolean): void;
  /** A measure somebody asked for was drawn, changed or removed. */
  onTagged(tag: string, measure: Measure | null): void;
  /** What to show in place of an image that did not arrive. */
  failureCover(failure: ChunkError): Cover;
}

/** What buttons beside the panes show. */
export interface Controls {
  readonly tool: Tool;
  readonly hanging: Hanging;
  readonly linked: boolean;
  readonly coloured: boolean;
  readonly overlays: boolean;
  readonly playing: boolean;
  readonly full: boolean;
}

const REBUILD_DELAY_MS = 300;
/** Steps of the opacity of regions; the first is the one the study sets. */
export const OPACITIES = [null, 0.15, 0.3, 0.5, 0.75, 0] as const;

export abstract class Stage {
  readonly element: HTMLElement;
  readonly offer: Offer;
  readonly displays = new Displays();
  readonly views: Views;
  readonly drawing: Drawing;
  readonly seen = new Seen();
  protected readonly panes: Pane[];
  protected readonly placing = new Placing();
  protected readonly grids = new Map<string, Grid>();
  protected backend: Backend | null = null;
  protected images: CaseImages | null = null;
  protected tool: Tool = "window";
  protected hanging: Hanging;
  protected activeSlot = 0;
  protected activePlane: Plane = "axial";
  protected full: number | null = null;
  protected smooth: boolean;
  protected overlaysOn = true;
  protected opacity = 0;
  protected hover: { pane: number; at: Vec3 } | null = null;
  /** What each pane was last asked to draw. */
  protected readonly pictures = new Map<number, string>();
  protected cover: Cover | null = null;
  private badges: ReadonlyMap<string, string> = new Map();
  protected shown = false;
  protected lost = false;
  protected broken = false;
  protected frame = 0;
  protected openedAt = 0;
  protected firstMs: number | null = null;
  protected completeMs: number | null = null;
  protected contextLosses = 0;

  constructor(
    readonly layout: Layout,
    private readonly makeBackend: MakeBackend,
    protected readonly hooks: ViewerHooks,
  ) {
    const { allowed, initial } = layout.hanging;
    this.hanging = initial;
    this.smooth = layout.interpolation === "linear";
    this.views = new Views(boxOf(layout.slots.map(gridOf)));
    this.drawing = new Drawing((tag, measure) => hooks.onTagged(tag, measure));
    this.offer = {
      tools: layout.tools,
      hangings: allowed,
      slots: layout.slots.length,
      coloured: layout.slots.some(({ colour }) => colour !== null),
      overlays: layout.overlays.length > 0,
      interpolationFixed: layout.interpolation_fixed,
      slices: layout.slots.some(({ shape }) => shape[0] > 1),
    };
    const count = panesNeeded([...allowed, initial], layout.slots.length);
    this.panes = Array.from({ length: count }, (_, index) => this.makePane(index));
    this.element = h(
      "div",
      { class: "panes", "aria-busy": "true" },
      ...this.panes.map(({ element }) => element),
    );
    const sizes = new ResizeObserver(() => this.resized());
    for (const { element } of this.panes) sizes.observe(element);
  }

  protected abstract gestures(index: number): GestureTarget;
  protected abstract choose(
    pane: number,
    what: { slice: number } | { preset: number } | null,
  ): void;
  /** Words for the moment over the active pane, and whether slices play. */
  protected abstract get playing(): { readonly on: boolean; readonly note: string };

  protected makePane(index: number): Pane {
    return new Pane({
      target: this.gestures(index),
      chooseSlice: (slice) => this.choose(index, { slice }),
      choosePreset: (preset) => this.choose(index, { preset }),
      focused: () => this.choose(index, null),
    });
  }

  setCover(cover: Cover | null): void {
    const same = JSON.stringify(cover) === JSON.stringify(this.cover);
    this.cover = cover;
    if (!same) this.redraw();
  }

  /** Short marks on panes, by role; they also frame their pane. */
  setBadges(badges: ReadonlyMap<string, string>): void {
    if (JSON.stringify([...badges]) === JSON.stringify([...this.badges])) return;
    this.badges = badges;
    this.redraw();
  }

  keyOf(slot: SlotLayout, plane: Plane = slot.plane): string {
    return `${slot.role}/${plane}`;
  }

  gridOf(slot: SlotLayout, plane: Plane = slot.plane): Grid {
    const key = this.keyOf(slot, plane);
    const grid = this.grids.get(key) ?? gridIn(gridOf(slot), plane);
    this.grids.set(key, grid);
    return grid;
  }

  get controls(): Controls {
    return {
      tool: this.tool,
      hanging: this.hanging,
      linked: this.views.linked,
      coloured: this.displays.of(this.slot).coloured,
      overlays: this.overlaysOn,
      playing: this.playing.on,
      full: this.full !== null,
    };
  }

  protected get cells(): (Cell | null)[] {
    return cellsOf(this.hanging, this.layout.slots, this.activeSlot);
  }

  protected get slot(): SlotLayout {
    return this.layout.slots[this.activeSlot] as SlotLayout;
  }

  get activePane(): number {
    const at = this.cells.findIndex(
      (cell) =>
        cell?.slot === this.slot && (this.hanging !== "planes" || cell.plane === this.activePlane),
    );
    return Math.max(0, at);
  }

  protected get activeCell(): Cell {
    return this.cells[this.activePane] as Cell;
  }

  protected get activeKey(): string {
    const { slot, plane } = this.activeCell;
    return this.keyOf(slot, plane);
  }

  protected arrange(): void {
    const [rows, columns] = gridSize(this.hanging);
    Object.assign(this.element.dataset, { rows, columns, hanging: this.hanging });
    const { cells } = this;
    this.panes.forEach((pane, index) => {
      pane.element.hidden = index >= cells.length || (cells[index] === null && index > 0);
    });
    this.element.dataset.count = String(cells.filter((cell) => cell !== null).length);
    if (this.full !== null && this.full >= cells.length) this.setFull(null);
    this.resized();
  }

  protected setFull(pane: number | null): void {
    this.full = pane;
    this.element.classList.toggle("has-full", pane !== null);
    this.panes.forEach(({ element }, index) => {
      element.classList.toggle("is-full", index === pane);
    });
    this.hooks.onFull(pane !== null);
    this.hooks.onControls(this.controls);
    this.resized();
  }

  protected get visible(): number[] {
    if (this.full !== null) return [this.full];
    return this.cells.flatMap((cell, index) => (cell ? [index] : []));
  }

  protected fitOf(cell: Cell): number {
    const shown = this.visible.map((index) => ({
      plane: (this.cells[index] as Cell).plane,
      size: (this.panes[index] as Pane).size,
    }));
    const { size } = this.panes[this.full ?? 0] as Pane;
    return this.views.fit(cell.plane, size, shown);
  }

  /** As the reader set it, before whole pixels are enforced. */
  protected cameraOf(cell: Cell): Camera {
    return this.views.camera(this.keyOf(cell.slot, cell.plane), cell.plane, this.fitOf(cell));
  }

  protected shownCamera(cell: Cell, pane: Pane): Camera {
    const camera = this.cameraOf(cell);
    if (!this.layout.integer_scale) return camera;
    const grid = this.gridOf(cell.slot, cell.plane);
    const { scale } = this.views.of(this.keyOf(cell.slot, cell.plane));
    const ratio = window.devicePixelRatio || 1;
    return wholePixels(camera, grid, pane.size, ratio, scale === null ? "down" : "nearest");
  }

  protected cellAt(pane: number): Cell {
    return this.cells[pane] ?? this.activeCell;
  }

  protected sheet(index: number): Sheet {
    const cell = this.cellAt(index);
    const grid = this.gridOf(cell.slot, cell.plane);
    const slice = this.views.slice(this.keyOf(cell.slot, cell.plane), grid);
    const pane = this.panes[index] as Pane;
    return {
      role: cell.slot.role,
      grid,
      slice,
      depth: sliceDepth(grid, slice),
      camera: this.shownCamera(cell, pane),
      size: pane.size,
      shared: this.views.linked,
    };
  }

  protected changed(): void {
    this.redraw();
    this.hooks.onChange();
  }

  protected controlsChanged(): void {
    this.hooks.onControls(this.controls);
    this.changed();
  }

  protected redraw(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  /** Gives the graphics of the computer back; the next picture takes them anew. */
  release(): void {
    this.backend?.dispose();
    this.backend = null;
    this.pictures.clear();
  }

  protected resized(): void {
    // Panes that are not on the page have no size; they are told when they are back.
    if (!this.element.isConnected) return;
    this.pictures.clear();
    this.backend?.resize();
    this.redraw();
  }

  protected ready(): Backend {
    this.backend ??= this.makeBackend({
      hosts: this.panes.map((pane) => pane.host),
      onLost: () => this.contextLost(),
    });
    return this.backend;
  }

  /** The arrays are still here: build the viewports anew and show the same pictures. */
  protected contextLost(): void {
    if (this.lost) return;
    this.lost = true;
    this.contextLosses++;
    this.redraw();
    setTimeout(() => this.rebuild(), REBUILD_DELAY_MS);
  }

  protected rebuild(): void {
    this.release();
    this.lost = false;
    this.broken = false;
    this.redraw();
  }

  protected paint(): void {
    const drawn: Promise<void>[] = [];
    this.panes.forEach((pane, index) => {
      const cell = this.cells[index];
      pane.element.classList.toggle("is-active", index === this.activePane);
      pane.element.dataset.badge = (cell && this.badges.get(cell.slot.role)) ?? "";
      if (!cell) return pane.blank();
      if (!this.visible.includes(index)) return;
      const cover = this.coverOf(cell);
      const drawing = this.images && !cover ? this.drawPane(this.images, cell, index) : null;
      if (drawing) drawn.push(drawing);
      pane.setCover(cover);
      this.paintWords(pane, cell, index);
    });
    this.follow(drawn);
  }

  protected drawPane(images: CaseImages, cell: Cell, index: number): Promise<void> | null {
    const { slot, plane } = cell;
    const grid = this.gridOf(slot, plane);
    const slice = this.views.slice(this.keyOf(slot, plane), grid);
    this.seen.add(this.keyOf(slot, plane), grid.shape[0], slice);
    const picture: Picture = {
      images,
      role: slot.role,
      grid,
      slice,
      version: plane === slot.plane && !slot.minus ? 0 : images.version(slot.role),
      ...this.displays.drawn(slot),
      smooth: this.smooth,
      camera: this.shownCamera(cell, this.panes[index] as Pane),
    };
    // What is on screen already is not drawn again: words over it change far more often.
    const state = JSON.stringify({ ...picture, images: images.key });
    if (this.pictures.get(index) === state) return null;
    this.pictures.set(index, state);
    return this.ready().draw(index, picture);
  }

  protected follow(drawn: Promise<void>[]): void {
    if (drawn.length === 0) return;
    Promise.all(drawn).catch((error: unknown) => {
      console.error(error);
      this.broken = true;
      this.shown = false;
      this.redraw();
    });
    if (this.shown) return;
    this.shown = true;
    Promise.race(drawn).then(
      () => requestAnimationFrame(() => this.firstShown()),
      () => undefined,
    );
  }

  protected firstShown(): void {
    this.firstMs ??= Math.round(performance.now() - this.openedAt);
    this.hooks.onShown();
    this.element.removeAttribute("aria-busy");
  }

  protected paintWords(pane: Pane, cell: Cell, index: number): void {
    const scene: SceneContext = {
      cell,
      index,
      pane,
      images: this.images,
      layout: this.layout,
      sheet: this.sheet(index),
      hover: this.hover,
      placing: this.placing.active && index === this.activePane ? this.placing : null,
      firstPlaced: this.drawing.firstPoint,
      cross:
        this.hanging === "planes"
          ? this.views.of(this.keyOf(cell.slot, cell.plane)).position
          : null,
      position: this.views.of(this.keyOf(cell.slot, cell.plane)).position,
      linked: this.views.linked,
      note: index === this.activePane ? this.playing.note : "",
      overlays: this.overlaysOn,
      opacity: OPACITIES[this.opacity] ?? null,
    };
    pane.show(overlayModel(scene, this));
    pane.showLabels(labelPictures(scene), labelState(scene));
  }

  protected coverOf({ slot, plane }: Cell): Cover | null {
    if (this.cover) return this.cover;
    if (slot.message) return { tone: "wait", ...slot.message };
    const { images } = this;
    if (!images) return null;
    const slice = this.views.slice(this.keyOf(slot, plane), this.gridOf(slot, plane));
    if (this.lost) {
      const text = `Putting slice ${slice + 1} back, same window and zoom.`;
      return { tone: "plain", title: "The display was reset", text };
    }
    if (this.broken) {
      return {
        tone: "stop",
        title: "This image could not be drawn",
        action: { label: "Try again", run: () => this.rebuild() },
      };
    }
    if (images.hasSection(slot.role, plane, slice)) return null;
    if (images.failure) return this.hooks.failureCover(images.failure);
    const [max] = slot.shape;
    const value = images.slicesOf(slot.role);
    return { tone: "plain", title: `Loading, ${value} of ${max} slices`, progress: { value, max } };
  }
}
