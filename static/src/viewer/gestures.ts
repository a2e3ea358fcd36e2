import type { Point } from "./geometry";

export type Tool = "window" | "zoom" | "pan" | "length" | "ellipse";

export interface GestureTarget {
  tool(): Tool;
  touched(): void;
  hover(at: Point | null): void;
  scroll(slices: number): void;
  window(dx: number, dy: number): void;
  zoom(factor: number, at: Point): void;
  pan(dx: number, dy: number): void;
  drawBegin(at: Point): void;
  drawMove(at: Point): void;
  drawEnd(): void;
}

type Drag = Tool | "slice" | "none";

const LEFT = 0;
const MIDDLE = 1;
const WHEEL_STEP_PX = 40;
const TOUCH_SLICE_PX = 12;
const LONG_PRESS_MS = 450;
const LONG_PRESS_SLACK_PX = 8;
const ZOOM_PER_PX = 1.006;

/** Turns pointers and the wheel into what a reader means by them. */
export class Gestures {
  private readonly pointers = new Map<number, Point>();
  private drag: Drag = "none";
  private wheelRest = 0;
  private touchRest = 0;
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
    else this.begin(this.mouseDrag(event.button), at);
  }

  private mouseDrag(button: number): Drag {
    if (button === LEFT) return this.target.tool();
    return button === MIDDLE ? "pan" : "zoom";
  }

  private touchDown(at: Point): void {
    clearTimeout(this.pressTimer);
    if (this.pointers.size > 1) {
      this.finishDrawing();
      this.drag = "none";
      return;
    }
    const tool = this.target.tool();
    const drawing = tool === "length" || tool === "ellipse";
    this.begin(drawing ? tool : "slice", at);
    this.touchRest = 0;
    if (drawing) return;
    this.pressTimer = window.setTimeout(() => {
      this.drag = "window";
    }, LONG_PRESS_MS);
  }

  private begin(drag: Drag, at: Point): void {
    this.drag = drag;
    this.start = at;
    if (drag === "length" || drag === "ellipse") this.target.drawBegin(at);
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
    else if (this.drag === "slice") this.touchScroll(dy);
    else if (this.drag !== "none") this.target.drawMove(at);
  }

  private touchScroll(dy: number): void {
    this.touchRest += dy;
    const steps = Math.trunc(this.touchRest / TOUCH_SLICE_PX);
    this.touchRest -= steps * TOUCH_SLICE_PX;
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
    if (this.drag === "length" || this.drag === "ellipse") this.target.drawEnd();
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
