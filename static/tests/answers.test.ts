import { describe, expect, it } from "vitest";
import {
  activate,
  choose,
  chooseByDigit,
  digitOf,
  isComplete,
  missing,
  newForm,
  toggleNotEvaluable,
} from "../src/reading/answers";
import { question } from "./fixtures";

const multi = question("cues", { kind: "multi", required: false });

describe("choosing", () => {
  it("makes the next unanswered question active after a single choice", () => {
    const form = chooseByDigit(newForm([question("q1"), question("q2"), multi]), "2");
    expect(form.answers).toEqual({ q1: "b" });
    expect(form.active).toBe(1);
  });

  it("passes over answered questions and starts again from the top", () => {
    const form = newForm([question("q1"), question("q2"), question("q3")], { q2: "a" });
    expect(choose(form, 0, "a").active).toBe(2);
    expect(choose(activate(form, 2), 2, "a").active).toBe(0);
  });

  it("stays where all is answered", () => {
    const form = newForm([question("q1"), question("q2")], { q2: "a" });
    expect(choose(form, 0, "a").active).toBe(0);
  });

  it("keeps any number of choices in the order of the options, and forgets an empty set", () => {
    let form = newForm([multi]);
    form = chooseByDigit(form, "3");
    form = chooseByDigit(form, "1");
    expect(form.answers).toEqual({ cues: ["a", "c"] });
    expect(form.active).toBe(0);
    form = chooseByDigit(chooseByDigit(form, "1"), "3");
    expect(form.answers).toEqual({});
  });

  it("does nothing for a digit without an option", () => {
    const form = newForm([question("q1")]);
    expect(chooseByDigit(form, "7")).toBe(form);
  });
});

describe("digits", () => {
  const options = (codes: string[]) => codes.map((code) => ({ code, label: code, anchor: "" }));

  it("keeps the digits of a scale, highest first", () => {
    const scale = question("s", { kind: "ordinal", options: options(["3", "2", "1", "0"]) });
    expect([0, 1, 2, 3].map((index) => digitOf(scale, index))).toEqual(["3", "2", "1", "0"]);
    expect(chooseByDigit(newForm([scale]), "0").answers).toEqual({ s: "0" });
  });

  it("counts other options from 1; the tenth is 0 and later ones have none", () => {
    const long = question("l", { options: options(Array.from("abcdefghijk")) });
    expect(digitOf(long, 0)).toBe("1");
    expect(digitOf(long, 9)).toBe("0");
    expect(digitOf(long, 10)).toBeNull();
  });
});

describe("not evaluable", () => {
  const open = question("q1", { may_be_not_evaluable: true });

  it("answers the question and can be taken back", () => {
    const marked = toggleNotEvaluable(newForm([open, question("q2")]), 0);
    expect(marked.answers).toEqual({ q1: { not_evaluable: true } });
    expect(marked.active).toBe(1);
    expect(toggleNotEvaluable(marked, 0).answers).toEqual({});
  });

  it("is refused where the study does not offer it", () => {
    const form = newForm([question("q1")]);
    expect(toggleNotEvaluable(form, 0)).toBe(form);
  });
});

describe("completeness", () => {
  it("counts required questions only", () => {
    const form = newForm([question("q1"), question("q2"), multi], { q1: "a" });
    expect(missing(form).map(({ code }) => code)).toEqual(["q2"]);
    expect(isComplete({ ...form, answers: { q1: "a", q2: "b" } })).toBe(true);
  });
});
