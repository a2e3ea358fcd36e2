// @vitest-environment jsdom
import { describe, expect, it, vi } from "vitest";
import { newForm } from "../src/reading/form";
import { optionLayout, QuestionList } from "../src/reading/views/questions";
import { question } from "./fixtures";

const labels = (...names: string[]) =>
  names.map((label, index) => ({ code: `c${index}`, label, anchor: "" }));

describe("layout of options", () => {
  it.each([
    ["options--2 options--choice", question("q", { options: labels("Real", "Synthetic") })],
    [
      "options--scale",
      question("q", {
        kind: "ordinal",
        options: labels("Guess", "Low", "Medium", "High", "Certain"),
      }),
    ],
    ["options--2", question("q", { kind: "multi", options: labels("Vessels", "Sulci and gyri") })],
    [
      "options--rows",
      question("q", { kind: "ordinal", options: [{ code: "2", label: "Good", anchor: "right" }] }),
    ],
  ])("%s", (layout, item) => {
    expect(optionLayout(item)).toBe(layout);
  });
});

describe("question list", () => {
  const hooks = {
    choose: vi.fn(),
    notEvaluable: vi.fn(),
    activate: vi.fn(),
    showRegion: vi.fn(),
    clearRegion: vi.fn(),
    mark: vi.fn(),
  };
  const questions = [
    question("q1", { may_be_not_evaluable: true }),
    question("q2", { kind: "multi" }),
  ];

  it("uses native radios and checkboxes in fieldsets with legends", () => {
    const { element } = new QuestionList(questions, hooks);
    expect(element.querySelectorAll("fieldset > legend")).toHaveLength(2);
    expect(element.querySelectorAll('input[type="radio"][name="q1"]')).toHaveLength(3);
    expect(element.querySelectorAll('input[type="checkbox"][name="q2"]')).toHaveLength(3);
  });

  it("shows the answers and the active question", () => {
    const list = new QuestionList(questions, hooks);
    list.show({ ...newForm(questions, { q1: "b", q2: ["a", "c"] }), active: 1 }, true);
    const checked = [...list.element.querySelectorAll<HTMLInputElement>("input:checked")];
    expect(checked.map(({ value }) => value)).toEqual(["b", "a", "c"]);
    const active = [...list.element.querySelectorAll("fieldset")].map((card) =>
      card.classList.contains("is-active"),
    );
    expect(active).toEqual([false, true]);
  });

  it("shows levels with words highest first, and keeps the order of a scale in one row", () => {
    const codes = ["0", "1", "2"];
    const rows = question("rows", {
      kind: "ordinal",
      options: codes.map((code) => ({ code, label: code, anchor: `level ${code}` })),
    });
    const scale = question("scale", {
      kind: "ordinal",
      options: codes.map((code) => ({ code, label: code, anchor: "" })),
    });
    const { element } = new QuestionList([rows, scale], hooks);
    const shown = (name: string) =>
      [...element.querySelectorAll<HTMLInputElement>(`input[name="${name}"]`)].map(
        ({ value }) => value,
      );
    expect(shown("rows")).toEqual(["2", "1", "0"]);
    expect(shown("scale")).toEqual(codes);
  });

  it("treats text as text", () => {
    const hostile = question("q", { text: "<img src=x onerror=alert(1)>" });
    const { element } = new QuestionList([hostile], hooks);
    expect(element.querySelector("img")).toBeNull();
  });

  it("reports a click on an option", () => {
    const { element } = new QuestionList(questions, hooks);
    document.body.append(element);
    element.querySelector<HTMLInputElement>('input[value="c"]')?.click();
    expect(hooks.choose).toHaveBeenCalledWith(0, "c");
  });
});
