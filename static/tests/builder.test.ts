// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { codeFrom, levelsOf, typedQuestion } from "../src/builder/draft";
import { emptyPanes, showFull } from "../src/builder/full";
import { editLevels } from "../src/builder/levels";
import { showParts } from "../src/builder/parts";
import { Preview } from "../src/builder/preview";
import { Saver } from "../src/builder/saver";
import { question } from "./fixtures";

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const LEVEL = (code: string, label: string, anchor = "") => `
  <div data-level>
    <input name="option_code" value="${code}"><input name="option_label" value="${label}">
    <input name="option_anchor" value="${anchor}"><input name="option_right" value="">
    <button type="button" data-level-up></button><button type="button" data-level-down></button>
    <button type="button" data-level-remove></button>
  </div>`;

function form(levels: string, more = ""): HTMLFormElement {
  document.body.innerHTML = `<form action="/save/">
    <input name="text" value="How sharp?"><input name="code" value="sharp">
    <select name="kind"><option value="ordinal" selected><option value="number"><option value="region">
      <option value="confidence"><option value="single"></select>
    <textarea name="help">Look at the edges.</textarea>
    <input type="checkbox" name="required" checked><input type="checkbox" name="whole">
    <input name="minimum" value=" 2.5 "><input name="maximum" value="a lot"><input name="unit" value="mm">
    <input name="bound_to" value="origin"><input name="region_kind" value="length"><input name="region_role" value="">
    <fieldset data-levels>${levels}<button type="button" data-add-level></button></fieldset>${more}</form>`;
  return document.querySelector("form") as HTMLFormElement;
}

function labels(root: ParentNode): string[] {
  return [...root.querySelectorAll<HTMLInputElement>('[name="option_label"]')].map((i) => i.value);
}

describe("codes", () => {
  it.each([
    ["Very good", "very_good"],
    ["  T1, after contrast! ", "t1_after_contrast"],
    ["Größe", "gr_e"],
    ["…", ""],
    ["x".repeat(40), "x".repeat(32)],
  ])("are made of the label %j", (label, code) => {
    expect(codeFrom(label)).toBe(code);
  });
});

describe("the typed question", () => {
  it("has the levels that were typed, with a code of their own or of the label", () => {
    const typed = levelsOf(
      form(LEVEL("poor", "Poor", "blurred") + LEVEL("", "Good") + LEVEL("", "")),
    );
    expect(typed).toEqual([
      { code: "poor", label: "Poor", anchor: "blurred" },
      { code: "good", label: "Good", anchor: "" },
    ]);
  });

  it("keeps the stored example of a level by its code", () => {
    const stored = question("sharp", {
      options: [{ code: "poor", label: "Old", anchor: "", example: "token" }],
    });
    const shown = typedQuestion(form(LEVEL("poor", "Poor")), stored);
    expect(shown.options).toEqual([{ code: "poor", label: "Poor", anchor: "", example: "token" }]);
  });

  it("takes numbers where they are numbers and nothing where they are not", () => {
    const shown = typedQuestion(form(""), question("sharp"));
    expect([shown.minimum, shown.maximum, shown.unit]).toEqual([2.5, null, "mm"]);
    expect([shown.required, shown.whole, shown.help]).toEqual([true, false, "Look at the edges."]);
  });

  it("has only what its kind has", () => {
    const made = form(LEVEL("poor", "Poor"));
    const kind = made.elements.namedItem("kind") as HTMLSelectElement;
    expect(typedQuestion(made, question("sharp")).bound_to).toBe("");
    kind.value = "confidence";
    expect(typedQuestion(made, question("sharp")).bound_to).toBe("origin");
    kind.value = "region";
    const region = typedQuestion(made, question("sharp"));
    expect(region.options).toEqual([]);
    expect(region.region).toEqual({ kind: "length", role: null });
  });
});

describe("the rows of levels", () => {
  it("are moved, added and removed, and the last one is only emptied", () => {
    const box = form(LEVEL("a", "A") + LEVEL("b", "B")).querySelector(
      "[data-levels]",
    ) as HTMLElement;
    const changed = vi.fn();
    editLevels(box, changed);
    const press = (row: number, name: string) => {
      const rows = box.querySelectorAll<HTMLElement>("[data-level]");
      rows[row]?.querySelector<HTMLElement>(`[${name}]`)?.click();
    };
    press(1, "data-level-up");
    expect(labels(box)).toEqual(["B", "A"]);
    press(0, "data-level-up");
    expect(labels(box)).toEqual(["B", "A"]);
    press(0, "data-level-down");
    expect(labels(box)).toEqual(["A", "B"]);
    box.querySelector<HTMLElement>("[data-add-level]")?.click();
    expect(labels(box)).toEqual(["A", "B", ""]);
    press(0, "data-level-remove");
    press(0, "data-level-remove");
    press(0, "data-level-remove");
    expect(labels(box)).toEqual([""]);
    expect(changed).toHaveBeenCalledTimes(7);
  });
});

describe("the parts of the form", () => {
  it("follow the kind and what is right", () => {
    const made = form(
      LEVEL("a", "A"),
      `<div data-for="number confidence" id="numbers"></div><div data-for="ordinal single" id="levels"></div>
       <select name="truth_source"><option value=""><option value="reference"><option value="origin"></select>
       <div data-truth="reference" id="endpoint"></div><div data-truth="place" id="place"></div>`,
    );
    const hidden = (id: string) => document.getElementById(id)?.hidden;
    showParts(made);
    expect([hidden("numbers"), hidden("levels"), hidden("endpoint")]).toEqual([true, false, true]);
    (made.elements.namedItem("truth_source") as HTMLSelectElement).value = "reference";
    showParts(made);
    expect([hidden("endpoint"), hidden("place")]).toEqual([false, true]);
    expect(made.querySelector("[data-levels]")?.classList.contains("has-right")).toBe(true);
    (made.elements.namedItem("kind") as HTMLSelectElement).value = "number";
    showParts(made);
    expect([hidden("numbers"), hidden("levels")]).toEqual([false, true]);
  });
});

const SHOWN = {
  slots: [
    { role: "t1", label: "T1", place: 0 },
    { role: "t1c", label: "T1c", place: 0 },
  ],
  tools: [],
  questions: [question("first"), question("second", { may_be_not_evaluable: true })],
};

function checked(root: ParentNode): string[] {
  return [...root.querySelectorAll<HTMLInputElement>("input:checked")].map((i) => i.value);
}

describe("the preview", () => {
  beforeEach(() => {
    Element.prototype.scrollIntoView = vi.fn(); // jsdom lays nothing out
  });

  it("lights the open question, takes keys as the reading page does and tells nobody", () => {
    const place = document.createElement("div");
    document.body.append(place);
    const preview = new Preview(place, () => undefined);
    preview.show(SHOWN, "second");
    const active = () => place.querySelector(".question.is-active legend")?.textContent;
    expect(active()).toBe("Question second");
    expect(preview.press("n")).toBe(true);
    expect(checked(place)).toHaveLength(1);
    expect(active()).toBe("Question first"); // the next one that is open
    expect(preview.press("Tab")).toBe(true);
    expect(active()).toBe("Question second");
    expect(preview.press("Tab", true)).toBe(true);
    expect(active()).toBe("Question first");
    expect(preview.press("2")).toBe(true);
    expect(checked(place)).toContain("b");
    expect(preview.press("q")).toBe(false);
    preview.show(SHOWN, "first");
    expect(checked(place)).toEqual([]);
  });

  it("opens the first question where the open one is gone", () => {
    const place = document.createElement("div");
    new Preview(place, () => undefined).show(SHOWN, "gone");
    expect(place.querySelector(".question.is-active legend")?.textContent).toBe("Question first");
  });

  it("fills a page with as many panes as open", () => {
    const panes = emptyPanes({ slots: SHOWN.slots, hanging: "1x2" });
    expect(panes.dataset.columns).toBe("2");
    expect([...panes.children].map((pane) => pane.textContent)).toEqual(["T1", "T1c"]);
    expect(emptyPanes({ slots: SHOWN.slots, hanging: "2x2" }).children).toHaveLength(4);
    expect(emptyPanes({ slots: SHOWN.slots, hanging: "planes" }).children).toHaveLength(3);
  });

  it("shows a page with the title, the panes and the whole column", () => {
    const root = document.createElement("div");
    root.dataset.preview = JSON.stringify({ ...SHOWN, hanging: "1x1", title: "Brain MR reading" });
    document.body.append(root);
    showFull(root);
    expect(root.querySelector(".topbar")?.textContent).toBe("Brain MR reading");
    expect(root.querySelectorAll(".question")).toHaveLength(2);
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
    expect(checked(root)).toContain("a");
  });
});

describe("saving", () => {
  const saved = {
    saved_at: "2026-03-01T10:00:00Z",
    preview: "{}",
    misfits: [],
    rows: [],
    seconds: 20,
  };
  const told = { saved: vi.fn(), refused: vi.fn(), state: vi.fn() };
  let fetched: ReturnType<typeof vi.fn<typeof fetch>>;

  beforeEach(() => {
    vi.useFakeTimers();
    fetched = vi.fn<typeof fetch>();
    vi.stubGlobal("fetch", fetched);
    for (const spy of Object.values(told)) spy.mockReset();
  });

  const answer = (body: unknown) => Promise.resolve(new Response(JSON.stringify(body)));

  it("waits for the last change, sends once and shows the receipt", async () => {
    fetched.mockImplementation(() => answer(saved));
    const saver = new Saver(form(""), told);
    saver.changed();
    await vi.advanceTimersByTimeAsync(600);
    saver.changed();
    await vi.advanceTimersByTimeAsync(600);
    expect(fetched).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(200);
    expect(fetched).toHaveBeenCalledTimes(1);
    expect(told.saved).toHaveBeenCalledWith(saved);
    expect(told.state).toHaveBeenLastCalledWith(expect.stringMatching(/^Saved \d\d:\d\d:\d\d/));
  });

  it("says what was refused and keeps what was typed", async () => {
    fetched.mockImplementation(() => answer({ errors: { text: "Give the question a text." } }));
    new Saver(form(""), told).changed();
    await vi.advanceTimersByTimeAsync(800);
    expect(told.refused).toHaveBeenCalledWith(["Give the question a text."]);
    expect(told.saved).not.toHaveBeenCalled();
  });

  it("tries again while the server cannot be reached", async () => {
    fetched.mockRejectedValueOnce(new TypeError("gone")).mockImplementation(() => answer(saved));
    new Saver(form(""), told).changed();
    await vi.advanceTimersByTimeAsync(800);
    expect(told.refused).toHaveBeenCalledWith([expect.stringContaining("cannot be reached")]);
    await vi.advanceTimersByTimeAsync(4100);
    expect(told.saved).toHaveBeenCalledTimes(1);
  });

  it("sends the rest when the page is left, and nothing once the form itself was sent", async () => {
    fetched.mockImplementation(() => answer(saved));
    const saver = new Saver(form(""), told);
    saver.changed();
    saver.leave();
    expect(fetched.mock.calls[0]?.[1]).toMatchObject({ keepalive: true, method: "POST" });
    saver.forget();
    saver.leave();
    await vi.advanceTimersByTimeAsync(5000);
    expect(fetched).toHaveBeenCalledTimes(1);
  });
});
