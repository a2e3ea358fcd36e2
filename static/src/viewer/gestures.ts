import type { Point } from "./geometry";
import type { MouseDrag, MouseMap } from "./layout";

export type Tool = MouseDrag | "length" | "ellipse" | "mark";

export interface GestureTarget {
  tool(): Tool;
  mouse(): MouseMap;
  touched(): void;
  hover(at: Point | null): void;
  scroll(slices: number): void;
  window(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  pan(dx: number, dy: number): void;
  /** Takes hold of something drawn under the pointer, or tells that there is nothing. */
  take(at: Point, slack: number): boolean;
  drawBegin(at: Point): void;
  drawMove(at: Point): void;
  drawEnd(): void;
  double(): void;
}

type Drag = Tool | "hold" | "none";

const LEFT = 0;
const MIDDLE = 1;
const WHEEL_STEP_PX = 40;
const DRAG_SLICE_PX = 12;
const LONG_PRESS_MS = 450;
const LONG_PRESS_SLACK_PX = 8;
const MOUSE_SLACK_PX = 7;
const TOUCH_SLACK_PX = 20;
const ZOOM_PER_PX = 1.006;

const DRAWS: ReadonlySet<Drag> = new Set(["length", "ellipse", "mark", "hold"]);

/** Turns pointers and the wheel into what a reader means by them. */
export class Gestures {
  private readonly pointers = new Map<number, Point>();
  private drag: Drag = "none";
  private wheelRest = 0;
  private sliceRest = 0;
  private start: Point = [0, 0];
  private pressTimer = 0;

  constructor(
    private readonly element: HTMLElement,
    private readonly target: GestureTarget,
  ) {
    element.addEventListener("pointerdown", (event) => this.down(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.up(event));
    element.addEventListener("pointercancel", (event) => this.up(event));
    element.addEventListener("pointerleave", () => target.hover(null));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("auxclick", (event) => event.preventDefault());
    element.addEventListener("dblclick", () => {
      if (!isDrawing(target.tool())) target.double();
    });
  }

  private at(event: MouseEvent): Point {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(event: PointerEvent): void {
    if (event.button === MIDDLE) event.preventDefault();
    const at = this.at(event);
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at);
    this.target.touched();
    if (event.pointerType === "touch") this.touchDown(at);
    else this.mouseDown(event.button, at);
  }

  private mouseDown(button: number, at: Point): void {
    const { middle, right } = this.target.mouse();
    if (button !== LEFT) this.begin(button === MIDDLE ? middle : right, at);
    else if (this.target.take(at, MOUSE_SLACK_PX)) this.begin("hold", at);
    else this.begin(this.target.tool(), at);
  }

  private touchDown(at: Point): void {
    clearTimeout(this.pressTimer);
    if (this.pointers.size > 1) {
      this.finishDrawing();
      this.drag = "none";
      return;
    }
    if (this.target.take(at, TOUCH_SLACK_PX)) return this.begin("hold", at);
    const tool = this.target.tool();
    if (isDrawing(tool)) return this.begin(tool, at);
    this.begin("slice", at);
    this.pressTimer = window.setTimeout(() => {
      this.drag = "window";
    }, LONG_PRESS_MS);
  }

  private begin(drag: Drag, at: Point): void {
    this.drag = drag;
    this.start = at;
    this.sliceRest = 0;
    if (isDrawing(drag)) this.target.drawBegin(at);
  }

  private move(event: PointerEvent): void {
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (event.pointerType !== "touch") this.target.hover(at);
    if (!before) return;
    if (this.pointers.size > 1) this.pinch(event.pointerId, before, at);
    else this.dragBy(at, at[0] - before[0], at[1] - before[1]);
    this.pointers.set(event.pointerId, at);
  }

  private dragBy(at: Point, dx: number, dy: number): void {
    const away = Math.hypot(at[0] - this.start[0], at[1] - this.start[1]);
    if (away > LONG_PRESS_SLACK_PX) clearTimeout(this.pressTimer);
    if (this.drag === "window") this.target.window(dx, dy);
    else if (this.drag === "pan") this.target.pan(dx, dy);
    else if (this.drag === "zoom") this.target.zoom(ZOOM_PER_PX ** -dy, this.start);
    else if (this.drag === "slice") this.dragSlices(dy);
    else if (this.drag !== "none") this.target.drawMove(at);
  }

  private dragSlices(dy: number): void {
    this.sliceRest += dy;
    const steps = Math.trunc(this.sliceRest / DRAG_SLICE_PX);
    this.sliceRest -= steps * DRAG_SLICE_PX;
    if (steps !== 0) this.target.scroll(steps);
  }

  private pinch(pointer: number, before: Point, at: Point): void {
    const other = [...this.pointers].find(([id]) => id !== pointer)?.[1];
    if (!other) return;
    const distance = (point: Point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
    const middle: Point = [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2];
    if (distance(before) > 0) this.target.zoom(distance(at) / distance(before), middle);
    this.target.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
  }

  private up(event: PointerEvent): void {
    clearTimeout(this.pressTimer);
    this.pointers.delete(event.pointerId);
    this.finishDrawing();
    this.drag = "none";
  }

  private finishDrawing(): void {
    if (DRAWS.has(this.drag)) this.target.drawEnd();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.target.touched();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? WHEEL_STEP_PX : 1;
    const delta = event.deltaY * lines;
    if (event.ctrlKey) {
      this.target.zoom(1.0015 ** -delta, this.at(event));
      return;
    }
    if (Math.abs(delta) >= WHEEL_STEP_PX) {
      this.wheelRest = 0;
      this.target.scroll(Math.sign(delta));
      return;
    }
    this.wheelRest += delta;
    const steps = Math.trunc(this.wheelRest / WHEEL_STEP_PX);
    this.wheelRest -= steps * WHEEL_STEP_PX;
    if (steps !== 0) this.target.scroll(steps);
  }
}

function isDrawing(drag: Drag): boolean {
  return drag === "length" || drag === "ellipse" || drag === "mark";
}
