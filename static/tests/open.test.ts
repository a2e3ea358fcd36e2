import { describe, expect, it } from "vitest";
import { Displays } from "../src/viewer/displays";
import { seriesOf } from "../src/viewer/layout";
import { differenceSlot } from "../src/viewer/open";
import { layout, slot } from "./fixtures";

const value = { unit: "", slope: 1, intercept: 40 };

describe("a difference", () => {
  const both = layout([slot("a", { value }), slot("b", { value })]);

  it("has the range it was given, around zero, in the same unit", () => {
    const made = differenceSlot(both, { of: "a", minus: "b", range: 200, label: "a − b" });
    expect(made.colour?.range).toEqual([-200, 200]);
    expect(made.value).toEqual({ unit: "", slope: 1, intercept: 0 });
    expect(made.label).toBe("a − b");
  });

  it("stays even around zero while its range is dragged", () => {
    const displays = new Displays();
    const made = differenceSlot(both, { of: "a", minus: "b", range: 300 });
    displays.drag(made, -300, 250);
    expect(displays.drawn(made)).toEqual({
      window: { width: 300, level: 0 },
      map: "difference",
      invert: false,
    });
  });

  it("is refused between grids that differ", () => {
    const moved = layout([slot("a"), slot("b", { origin_mm: [0, 0, 10] })]);
    expect(() => differenceSlot(moved, { of: "a", minus: "b" })).toThrow("do not lie on one grid");
  });
});

describe("an image stored inverted", () => {
  it("is shown inverted at first and after a reset", () => {
    const displays = new Displays();
    const dark = slot("t1", { inverted: true });
    expect(displays.of(dark).invert).toBe(true);
    displays.change(dark, { invert: false });
    displays.forget("t1");
    expect(displays.of(dark).invert).toBe(true);
  });
});

describe("a pane with words in place of an image", () => {
  it("fetches nothing", () => {
    const words = slot("why", { message: { title: "No difference", text: "Other grids." } });
    expect(seriesOf(layout([slot("a"), words])).map(({ role }) => role)).toEqual(["a"]);
  });
});
