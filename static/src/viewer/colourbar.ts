import { h, setText, svg } from "../shared/dom";
import { ENTRIES, tableOf } from "./colour";
import type { SlotLayout } from "./layout";
import { decimalsFor, formatNumber, realValue } from "./values";

const TICKS = 4;
const STRIPES = 64;

/** Colours of a map with their values and unit, beside the image. */
export class ColourBar {
  readonly element: HTMLElement;
  private readonly unit = h("div", { class: "colour-bar__unit" });
  private readonly stripes = svg("svg", {
    preserveAspectRatio: "none",
    viewBox: `0 0 1 ${STRIPES}`,
  });
  private readonly ticks = h("div", { class: "colour-bar__ticks" });
  private shown: SlotLayout | null = null;
  private range = "";

  constructor() {
    this.element = h(
      "div",
      { class: "colour-bar", hidden: true },
      this.unit,
      h("div", { class: "colour-bar__body" }, this.ticks, this.stripes),
    );
  }

  show(slot: SlotLayout | null, range: readonly [number, number]): void {
    this.element.hidden = slot?.colour == null;
    if (!slot?.colour || (slot === this.shown && String(range) === this.range)) return;
    this.shown = slot;
    this.range = String(range);
    setText(this.unit, slot.value?.unit ?? "");
    this.paint(slot.colour.map);
    this.label(slot, range);
  }

  private paint(map: NonNullable<SlotLayout["colour"]>["map"]): void {
    const table = tableOf(map);
    this.stripes.replaceChildren(
      ...Array.from({ length: STRIPES }, (_, at) => {
        const entry = Math.round((1 - at / (STRIPES - 1)) * (ENTRIES - 1)) * 3;
        const [red = 0, green = 0, blue = 0] = table.subarray(entry, entry + 3);
        const fill = `rgb(${red} ${green} ${blue})`;
        return svg("rect", { x: 0, y: at, width: 1, height: 1.2, fill });
      }),
    );
  }

  private label(slot: SlotLayout, range: readonly [number, number]): void {
    const [low, high] = range.map((level) => realValue(level, slot.value));
    const span = (high as number) - (low as number);
    const decimals = decimalsFor(span / TICKS, span / TICKS / 10);
    this.ticks.replaceChildren(
      ...Array.from({ length: TICKS + 1 }, (_, at) => {
        const value = (high as number) - (span * at) / TICKS;
        const whole = Math.abs(value - Math.round(value)) < 1e-6;
        return h("span", {}, formatNumber(value, whole ? 0 : Math.min(decimals, 1)));
      }),
    );
  }
}
