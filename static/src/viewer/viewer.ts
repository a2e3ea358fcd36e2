/** What a reader does with the panes: tools, keys, mouse and touch. */
import { isOffered, VIEWER_ACTIONS, type ViewerAction } from "./actions";
import type { MakeBackend } from "./backend";
import { Cine } from "./cine";
import type { Sheet, Wanted } from "./drawing";
import {
  boxOf,
  panBy,
  type Plane,
  type Point,
  screenToPlane,
  sliceAt,
  toPatient,
  type Vec3,
  voxelPosition,
  zoomAt,
} from "./geometry";
import type { GestureTarget, Tool } from "./gestures";
import { type Cell, nextHanging } from "./hanging";
import {
  DEFAULT_MOUSE,
  gridOf,
  type Hanging,
  type Layout,
  type MouseMap,
  type SlotLayout,
} from "./layout";
import type { CaseImages } from "./loader";
import { type Measure, measured, type Measured, type MeasureKind } from "./measure";
import type { Pane } from "./pane";
import { OPACITIES, Stage, type ViewerHooks } from "./stage";
import { openState, savedState, type ViewerExtras, type ViewerState } from "./state";

export type { Controls, ViewerHooks } from "./stage";

const ZOOM_STEP = 1.2;
const CROSS_SLACK_PX = 14;

/** Linked panes of one case, arranged as the study allows. */
export class Viewer extends Stage {
  private readonly cine = new Cine((step) => this.playStep(step));
  private unwatch: () => void = () => undefined;
  private mouse: MouseMap;
  private toolBefore: Tool | null = null;
  private hangingBefore: Hanging | null = null;
  private holdsCross = false;

  constructor(layout: Layout, makeBackend: MakeBackend, hooks: ViewerHooks) {
    super(layout, makeBackend, hooks);
    this.mouse = { ...DEFAULT_MOUSE, ...layout.mouse };
    this.tool = this.mouse.left;
    this.clearCase();
    this.arrange();
  }

  // The case.

  /** Shows a case from its first pack in the middle, or as it was left. */
  open(images: CaseImages, state: ViewerState = {}, extras: ViewerExtras | null = null): void {
    this.unwatch();
    this.images = images;
    this.element.setAttribute("aria-busy", "true");
    this.pictures.clear();
    this.clearCase();
    const left = openState(this, state, extras);
    if (left.hanging && this.layout.hanging.allowed.includes(left.hanging)) {
      this.hanging = left.hanging;
    }
    this.arrange();
    this.openedAt = performance.now();
    if (images.complete) this.completeMs = 0;
    this.unwatch = images.onChange(() => this.imagesChanged(images));
    this.redraw();
  }

  close(): void {
    this.unwatch();
    this.cine.stop();
    this.images = null;
    this.element.removeAttribute("aria-busy");
    this.pictures.clear();
    this.panes.forEach((_, index) => {
      this.backend?.clear(index);
    });
  }

  state(): ViewerState {
    const timings = { first_ms: this.firstMs, complete_ms: this.completeMs };
    return savedState(this, (slot) => this.cameraOf({ slot, plane: slot.plane }), {
      hanging: this.hanging,
      timings,
      context_lost: this.contextLosses,
    });
  }

  extras(): ViewerExtras {
    return {
      view: this.views.of(this.activeKey),
      measures: this.drawing.all.filter(({ tag }) => tag === undefined),
    };
  }

  // What others ask for.

  /** The tool for a measure somebody wants; null gives back the tool before. */
  want(wanted: Wanted | null): void {
    if (JSON.stringify(wanted) === JSON.stringify(this.drawing.wanted)) return;
    this.drawing.wanted = wanted;
    this.drawing.selected = null;
    this.drawing.leavePlacing();
    this.placing.stop();
    if (wanted) {
      this.toolBefore ??= this.tool;
      this.setTool(wanted.kind === "point" ? "mark" : wanted.kind);
    } else if (this.toolBefore) {
      const before = this.toolBefore;
      this.toolBefore = null;
      this.setTool(before);
    }
  }

  setTagged(measures: readonly Omit<Measure, "id">[]): void {
    if (this.drawing.setTagged(measures)) this.redraw();
  }

  /** What a measure says about its image; null until the slice is here. */
  measured(measure: Measure): Measured | null {
    const slot = this.layout.slots.find(({ role }) => role === measure.role);
    if (!slot || !this.images) return null;
    const grid = this.gridOf(slot, measure.plane);
    const slice = sliceAt(grid, measure.points[0] as Vec3);
    if (!this.images.hasSection(slot.role, measure.plane, slice)) return null;
    const pixels = this.images.section(slot.role, measure.plane, slice);
    return measured(measure, grid, pixels, slot.value);
  }

  /** Goes to the slice of a measure, in a pane that can show it. */
  jumpTo(role: string, plane: Plane, position: Vec3): void {
    const slot = this.layout.slots.findIndex((one) => one.role === role);
    if (slot < 0) return;
    this.activeSlot = slot;
    const shows = this.cells.some((cell) => cell?.slot.role === role && cell.plane === plane);
    if (!shows && this.layout.hanging.allowed.includes("planes")) this.hanging = "planes";
    this.activePlane = plane;
    const key = this.keyOf(this.layout.slots[slot] as SlotLayout, plane);
    this.views.change(key, { position });
    this.arrange();
    this.changed();
  }

  setMouse(mouse: Partial<MouseMap>): void {
    this.mouse = { ...DEFAULT_MOUSE, ...mouse };
    this.setTool(this.mouse.left);
  }

  /** Marks that nobody asked for. */
  get markCount(): number {
    return this.drawing.all.filter(({ kind, tag }) => kind === "point" && tag === undefined).length;
  }

  get currentMouse(): MouseMap {
    return this.mouse;
  }

  // Actions.

  /** Runs an action; false where there is nothing to do. */
  run(action: ViewerAction): boolean {
    const row = VIEWER_ACTIONS.find((one) => one.action === action);
    const kind = kindOf(action);
    const wanted = kind !== null && this.drawing.wanted?.kind === kind;
    if (!row || !(wanted || isOffered(row, this.offer))) return false;
    if (action === "erase") return this.erase();
    const run = this.runs[action];
    run();
    return true;
  }

  private readonly runs: Readonly<Record<ViewerAction, () => void>> = {
    slice_up: () => this.step(-1),
    slice_down: () => this.step(1),
    slice_up_5: () => this.step(-5),
    slice_down_5: () => this.step(5),
    slice_first: () => this.goTo(0),
    slice_last: () => this.goTo(Number.MAX_SAFE_INTEGER),
    window: () => this.setTool("window"),
    zoom: () => this.setTool("zoom"),
    pan: () => this.setTool("pan"),
    length: () => this.setTool("length"),
    ellipse: () => this.setTool("ellipse"),
    mark: () => this.setTool("mark"),
    place: () => this.togglePlacing(),
    erase: () => void this.erase(),
    zoom_in: () => this.zoom(ZOOM_STEP),
    zoom_out: () => this.zoom(1 / ZOOM_STEP),
    invert: () => this.toggle("invert"),
    reset: () => this.reset(),
    full: () => this.setFull(this.full === null ? this.activePane : null),
    fullscreen: () => toggleFullScreen(),
    hanging_next: () => this.changeHanging(1),
    hanging_previous: () => this.changeHanging(-1),
    planes: () => this.togglePlanes(),
    pane_next: () => this.nextPane(1),
    pane_previous: () => this.nextPane(-1),
    link: () => {
      this.views.setLinked(!this.views.linked, this.activeKey);
      this.controlsChanged();
    },
    colour: () => {
      if (this.slot.colour) this.toggle("coloured");
    },
    overlay: () => {
      this.overlaysOn = !this.overlaysOn;
      this.controlsChanged();
    },
    overlay_opacity: () => {
      this.opacity = (this.opacity + 1) % OPACITIES.length;
      this.overlaysOn = true;
      this.controlsChanged();
    },
    interpolation: () => {
      this.smooth = !this.smooth;
      this.changed();
    },
    cine: () => {
      this.cine.toggle();
      this.controlsChanged();
    },
    cine_slower: () => this.changeSpeed(-1),
    cine_faster: () => this.changeSpeed(1),
  };

  preset(index: number): void {
    const preset = this.slot.presets[index];
    if (!preset || !this.allows("window")) return;
    this.displays.change(this.slot, {
      window: { width: preset.width, level: preset.level },
      coloured: this.slot.minus !== undefined,
    });
    this.changed();
  }

  /** A key while points are placed with the keys; false leaves it to others. */
  placingKey(key: string, large: boolean): boolean {
    if (!this.placing.active) return false;
    const sheet = this.sheet(this.activePane);
    if (key === "escape") {
      this.placing.stop();
      this.drawing.leavePlacing();
    } else if (key === "enter") {
      this.placeHere(sheet);
    } else if (!this.placing.move(key, sheet.grid, large)) {
      return false;
    }
    this.changed();
    return true;
  }

  leaveFull(): boolean {
    if (this.full === null) return false;
    this.setFull(null);
    return true;
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    this.hooks.onControls(this.controls);
  }

  private toggle(what: "invert" | "coloured"): void {
    const display = this.displays.of(this.slot);
    this.displays.change(this.slot, { [what]: !display[what] });
    this.controlsChanged();
  }

  /** Window, zoom and position as at the start; slice and measures stay. */
  private reset(): void {
    if (this.views.linked) this.displays.clear();
    else this.displays.forget(this.slot.role);
    this.views.resetCamera(this.activeKey);
    this.smooth = this.layout.interpolation === "linear";
    this.controlsChanged();
  }

  private erase(): boolean {
    const removed = this.drawing.remove(this.sheet(this.activePane));
    if (removed) this.changed();
    return removed;
  }

  private step(slices: number): void {
    const cell = this.activeCell;
    const grid = this.gridOf(cell.slot, cell.plane);
    this.goTo(this.views.slice(this.activeKey, grid) + slices);
  }

  private goTo(slice: number): void {
    const cell = this.activeCell;
    if (this.views.toSlice(this.activeKey, this.gridOf(cell.slot, cell.plane), slice)) {
      this.changed();
    }
  }

  private playStep(by: 1): void {
    const cell = this.activeCell;
    const grid = this.gridOf(cell.slot, cell.plane);
    const next = (this.views.slice(this.activeKey, grid) + by) % grid.shape[0];
    this.goTo(next);
  }

  private changeSpeed(by: 1 | -1): void {
    this.cine.change(by);
    this.controlsChanged();
  }

  private zoom(factor: number): void {
    const { size } = this.panes[this.activePane] as Pane;
    this.zoomPane(this.activePane, factor, [size.width / 2, size.height / 2]);
  }

  private togglePlacing(): void {
    const kind = kindOf(this.tool);
    if (kind === null && !this.allows("mark")) return;
    if (kind === null) this.setTool("mark");
    if (this.placing.active) this.placing.stop();
    else this.placing.start(this.hover?.at ?? this.views.of(this.activeKey).position);
    this.redraw();
  }

  private placeHere(sheet: Sheet): void {
    const kind = kindOf(this.tool) ?? "point";
    this.drawing.place(kind, sheet, this.placing.on(sheet.grid, sheet.depth));
    if (this.drawing.firstPoint === null) this.placing.stop();
  }

  // Panes and their arrangement.

  private activate(pane: number): void {
    const cell = this.cells[pane];
    if (!cell || pane === this.activePane) return;
    this.activeSlot = this.layout.slots.indexOf(cell.slot);
    this.activePlane = cell.plane;
    this.controlsChanged();
  }

  private nextPane(step: 1 | -1): void {
    if (this.hanging === "planes" && this.full === null) {
      const planes = this.cells.map((cell) => (cell as Cell).plane);
      const at = planes.indexOf(this.activePlane);
      const beyond = at + step < 0 || at + step >= planes.length;
      this.activePlane = planes[(at + step + planes.length) % planes.length] as Plane;
      if (beyond) this.nextSlot(step);
    } else {
      this.nextSlot(step);
    }
    if (this.full !== null) this.setFull(this.activePane);
    this.arrange();
    this.controlsChanged();
  }

  private nextSlot(step: 1 | -1): void {
    const { length } = this.layout.slots;
    this.activeSlot = (this.activeSlot + step + length) % length;
  }

  private changeHanging(step: 1 | -1): void {
    this.setHanging(nextHanging(this.layout.hanging.allowed, this.hanging, step));
  }

  private togglePlanes(): void {
    const { allowed } = this.layout.hanging;
    const back = this.hangingBefore ?? allowed.find((one) => one !== "planes") ?? "planes";
    this.setHanging(this.hanging === "planes" ? back : "planes");
  }

  setHanging(hanging: Hanging): void {
    if (hanging === "planes" && this.hanging !== "planes") {
      this.hangingBefore = this.hanging;
      this.activePlane = this.slot.plane;
    }
    this.hanging = hanging;
    this.setFull(null);
    this.arrange();
    this.controlsChanged();
  }

  protected choose(pane: number, what: { slice: number } | { preset: number } | null): void {
    this.activate(pane);
    if (what && "slice" in what) this.goTo(what.slice);
    else if (what) this.preset(what.preset);
  }

  protected get playing(): { readonly on: boolean; readonly note: string } {
    return { on: this.cine.playing, note: this.cine.note };
  }

  // Input.

  private allows(tool: string): boolean {
    return this.layout.tools.includes(tool);
  }

  protected gestures(index: number): GestureTarget {
    const plane = (at: Point): Point => {
      const { camera, size } = this.sheet(index);
      return screenToPlane(camera, size, at);
    };
    return {
      tool: () => this.tool,
      mouse: () => this.mouse,
      touched: () => this.activate(index),
      hover: (at) => {
        const { grid, depth } = this.sheet(index);
        this.hover = at && { pane: index, at: toPatient(grid.plane, plane(at), depth) };
        this.redraw();
      },
      scroll: (slices) => this.step(slices),
      window: (dx, dy) => this.dragWindow(dx, dy),
      zoom: (factor, at) => this.zoomPane(index, factor, at),
      pan: (dx, dy) => this.panPane(index, dx, dy),
      take: (at, slack) => this.take(index, at, plane(at), slack),
      drawBegin: (at) => this.beginDrawing(index, plane(at)),
      drawMove: (at) => this.moveHeld(index, plane(at)),
      drawEnd: () => {
        this.holdsCross = false;
        this.drawing.end(this.sheet(index).camera.scale);
        this.changed();
      },
      double: () => {
        if (this.allows("full")) this.setFull(this.full === null ? index : null);
        this.redraw();
      },
    };
  }

  private dragWindow(dx: number, dy: number): void {
    const fixed = this.displays.of(this.slot).coloured && !this.slot.minus;
    if (!this.allows("window") || fixed) return;
    this.displays.drag(this.slot, dx, dy);
    this.changed();
  }

  private zoomPane(index: number, factor: number, at: Point): void {
    if (!this.allows("zoom")) return;
    const cell = this.cellAt(index);
    const { size } = this.panes[index] as Pane;
    const camera = zoomAt(this.cameraOf(cell), size, at, factor);
    this.views.setCamera(this.keyOf(cell.slot, cell.plane), cell.plane, camera);
    this.changed();
  }

  private panPane(index: number, dx: number, dy: number): void {
    if (!this.allows("pan")) return;
    const cell = this.cellAt(index);
    const box = boxOf(this.layout.slots.map(gridOf));
    const camera = panBy(this.cameraOf(cell), box, cell.plane, dx, dy);
    this.views.setCamera(this.keyOf(cell.slot, cell.plane), cell.plane, camera);
    this.changed();
  }

  private take(index: number, screen: Point, at: Point, slack: number): boolean {
    const sheet = this.sheet(index);
    if (this.drawing.take(sheet, screen, at, slack, kindOf(this.tool) !== null)) {
      this.redraw();
      return true;
    }
    if (this.hanging !== "planes" || kindOf(this.tool) !== null) return false;
    const cross = this.placing.onScreen(sheet, this.views.of(this.activeKey).position);
    const near = Math.hypot(cross[0] - screen[0], cross[1] - screen[1]);
    this.holdsCross = near <= CROSS_SLACK_PX + slack;
    return this.holdsCross;
  }

  private beginDrawing(index: number, at: Point): void {
    const kind = kindOf(this.tool);
    if (kind === null) return;
    this.drawing.begin(kind, this.sheet(index), at);
    this.redraw();
  }

  private moveHeld(index: number, at: Point): void {
    if (this.holdsCross) {
      const { grid, depth } = this.sheet(index);
      this.views.change(this.activeKey, { position: toPatient(grid.plane, at, depth) });
      return this.changed();
    }
    this.drawing.move(at);
    this.redraw();
  }

  // Drawing.

  private clearCase(): void {
    const slot = this.layout.slots[0] as SlotLayout;
    const [z0, z1] = slot.chunks[0] ?? [0, slot.shape[0]];
    const grid = this.gridOf(slot);
    const { rows, columns } = { rows: grid.shape[1], columns: grid.shape[2] };
    this.cine.stop();
    this.activeSlot = 0;
    this.activePlane = slot.plane;
    this.hanging = this.layout.hanging.initial;
    this.views.setLinked(true, this.keyOf(slot));
    this.views.resetCamera(this.keyOf(slot));
    const middle = voxelPosition(
      grid,
      Math.floor((z0 + z1) / 2),
      (rows - 1) / 2,
      (columns - 1) / 2,
    );
    this.views.change(this.keyOf(slot), { position: middle });
    this.displays.clear();
    this.seen.clear();
    this.drawing.clear();
    this.placing.stop();
    this.hover = null;
    this.shown = false;
    this.broken = false;
    this.cover = null;
    this.firstMs = null;
    this.completeMs = null;
    this.contextLosses = 0;
    this.smooth = this.layout.interpolation === "linear";
  }

  private imagesChanged(images: CaseImages): void {
    if (images.complete) this.completeMs ??= Math.round(performance.now() - this.openedAt);
    this.redraw();
  }
}

/** The kind of measure that a tool draws. */
function kindOf(tool: string): MeasureKind | null {
  if (tool === "mark") return "point";
  return tool === "length" || tool === "ellipse" ? tool : null;
}

function toggleFullScreen(): void {
  const done = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen();
  done.catch((error: unknown) => console.warn("The whole screen is not available:", error));
}
