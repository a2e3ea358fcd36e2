import { h, svg } from "../shared/dom";
import { ranges } from "./plan";

/** The line of slices at the right of a pane: seen ones filled, the present one a tick. */
export class SliceTrack {
  readonly element: HTMLElement;
  private readonly drawing: SVGSVGElement;
  private readonly handle: HTMLElement;

  private slices = 1;
  private drawn = "";

  constructor(private readonly choose: (slice: number) => void) {
    this.drawing = svg("svg");
    this.handle = h("span", { class: "slice-handle", "aria-hidden": "true" }, "≡");
    this.element = h(
      "div",
      {
        class: "slice-track",
        role: "slider",
        tabindex: 0,
        "aria-orientation": "vertical",
        "aria-valuemin": 1,
      },
      this.drawing,
      this.handle,
    );
    this.element.addEventListener("pointerdown", (event) => this.grab(event));
    this.element.addEventListener("pointermove", (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) this.point(event);
    });
  }

  /** One slice needs no track. */
  show(slice: number, seen: readonly boolean[], label: string): void {
    this.slices = seen.length;
    this.element.hidden = this.slices < 2;
    const state = `${label} ${slice} ${JSON.stringify(ranges(seen))} ${seen.length}`;
    if (this.element.hidden || state === this.drawn) return;
    this.drawn = state;
    this.element.setAttribute("aria-label", `Slice of ${label}`);
    this.element.setAttribute("aria-valuemax", String(this.slices));
    this.element.setAttribute("aria-valuenow", String(slice + 1));
    this.element.setAttribute("aria-valuetext", `slice ${slice + 1} of ${this.slices}`);
    const share = (slices: number) => `${(slices / this.slices) * 100}%`;
    this.drawing.replaceChildren(
      svg("rect", { class: "rest", x: 5, y: 0, width: 4, height: "100%" }),
      ...ranges(seen).map(([z0, z1]) =>
        svg("rect", { class: "seen", x: 5, y: share(z0), width: 4, height: share(z1 - z0) }),
      ),
      svg("rect", { class: "now", x: 1, y: share(slice + 0.5), width: 12, height: 3 }),
    );
    this.handle.style.top = share(slice + 0.5);
  }

  private grab(event: PointerEvent): void {
    event.stopPropagation();
    this.element.setPointerCapture(event.pointerId);
    this.point(event);
  }

  private point(event: PointerEvent): void {
    event.stopPropagation();
    const box = this.element.getBoundingClientRect();
    const slice = Math.floor(((event.clientY - box.top) / box.height) * this.slices);
    this.choose(Math.min(this.slices - 1, Math.max(0, slice)));
  }
}
