import { describe, expect, it } from "vitest";
import {
  activate,
  choose,
  chooseByDigit,
  digitOf,
  give,
  isAsked,
  isComplete,
  misfits,
  neighbour,
  newForm,
  nextMisfit,
  nudge,
  questionsToCome,
  sentAnswers,
  takeBack,
  toggleNotEvaluable,
} from "../src/reading/form";
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

describe("questions to come", () => {
  const sure = question("sure", { kind: "confidence", bound_to: "q1" });

  it("are those about an answer that is not given yet", () => {
    const form = newForm([question("q1", { may_be_not_evaluable: true }), sure]);
    expect(questionsToCome(form)).toBe(1);
    expect(questionsToCome(choose(form, 0, "a")), "it is asked now").toBe(0);
    expect(questionsToCome(toggleNotEvaluable(form, 0)), "it will not be asked").toBe(0);
  });

  it("leave out what may be skipped and what depends on the answer", () => {
    const skipped = question("skipped", { bound_to: "q1", required: false });
    const ruled = question("ruled", { show_if: { all: [{ question: "q1", is: ["a"] }] } });
    expect(questionsToCome(newForm([question("q1"), skipped, ruled]))).toBe(0);
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
    expect(misfits(form).map(({ code }) => code)).toEqual(["q2"]);
    expect(isComplete({ ...form, answers: { q1: "a", q2: "b" } })).toBe(true);
  });
});

describe("a line", () => {
  const origin = question("origin");
  const sure = question("sure", {
    kind: "confidence",
    options: [],
    bound_to: "origin",
    minimum: 0,
    maximum: 100,
    whole: true,
  });
  const begun = () => choose(newForm([origin, sure]), 0, "a");
  const typed = (...digits: string[]) => digits.reduce(chooseByDigit, begun());

  it("has no value until it is touched, and counts as missing", () => {
    expect(begun().active).toBe(1);
    expect(begun().answers).toEqual({ origin: "a" });
    expect(misfits(begun()).map(({ code }) => code)).toEqual(["sure"]);
  });

  it("takes digits in a row as one number", () => {
    expect(typed("7", "5").answers.sure).toBe(75);
    expect(typed("1", "0", "0").answers.sure).toBe(100);
    expect(typed("7", "5").active).toBe(1);
  });

  it("begins a new number where the digits would leave the line, or after a move", () => {
    expect(typed("7", "5", "8").answers.sure).toBe(8);
    expect(chooseByDigit(nudge(typed("7"), 5), "3").answers.sure).toBe(3);
  });

  it("begins a new number when it becomes active again", () => {
    const again = activate(activate(typed("7"), 0), 1);
    expect(chooseByDigit(again, "3").answers.sure).toBe(3);
  });

  it("moves by steps within its ends, from the middle", () => {
    expect(nudge(begun(), 5).answers.sure).toBe(50);
    expect(nudge(nudge(begun(), 5), 5).answers.sure).toBe(55);
    expect(nudge(typed("9", "8"), 5).answers.sure).toBe(100);
    expect(nudge(typed("3"), -5).answers.sure).toBe(0);
  });

  it("gives digits back one by one", () => {
    expect(takeBack(typed("7", "5")).answers.sure).toBe(7);
    expect(takeBack(takeBack(typed("7", "5"))).answers).toEqual({ origin: "a" });
    expect(takeBack(begun())).toEqual(begun());
  });
});

describe("images beside each other", () => {
  const which = question("which", { kind: "place", options: [], places: 2, equal: true });
  const order = question("order", { kind: "ranking", options: [], places: 3 });

  it("are chosen by their number, and 0 says that they are equal", () => {
    expect(chooseByDigit(newForm([which]), "2").answers).toEqual({ which: 1 });
    expect(chooseByDigit(newForm([which]), "0").answers).toEqual({ which: "equal" });
    expect(chooseByDigit(newForm([which]), "3").answers).toEqual({});
  });

  it("take ranks in the order in which they are chosen; the last can be taken back", () => {
    const two = ["3", "1"].reduce(chooseByDigit, newForm([order]));
    expect(two.answers).toEqual({ order: [2, 0] });
    expect(isComplete(two)).toBe(false);
    expect(takeBack(two).answers).toEqual({ order: [2] });
    expect(isComplete(chooseByDigit(two, "2"))).toBe(true);
  });

  it("lose their rank when they are chosen again, and those after them move up", () => {
    const whole = ["3", "1", "2", "3"].reduce(chooseByDigit, newForm([order]));
    expect(whole.answers).toEqual({ order: [0, 1] });
  });
});

describe("questions that are asked only sometimes", () => {
  const origin = question("origin");
  const why = question("why", { show_if: { all: [{ question: "origin", is: ["b"] }] } });
  const last = question("last");
  const form = (answers = {}) => newForm([origin, why, last], answers);

  it("are passed over where they are not asked", () => {
    expect(choose(form(), 0, "a").active).toBe(2);
    expect(choose(form(), 0, "b").active).toBe(1);
    expect(neighbour({ ...form({ origin: "a" }), active: 0 }, 1)).toBe(2);
    expect(isAsked(form({ origin: "a" }), 1)).toBe(false);
  });

  it("keep what was entered but never send it", () => {
    const changed = choose(choose(choose(form(), 0, "b"), 1, "c"), 0, "a");
    expect(changed.answers.why).toBe("c");
    expect(sentAnswers(choose(changed, 2, "a"))).toEqual({ origin: "a", last: "a" });
    expect(isComplete(choose(changed, 2, "a"))).toBe(true);
  });
});

describe("what keeps a case from being saved", () => {
  const size = question("size", { kind: "number", options: [], minimum: 0, maximum: 200 });
  const text = question("text", { kind: "text", options: [], required: false });

  it("is also what does not fit, and is found from the active question on", () => {
    const form = newForm([question("q1"), size, text], { q1: "a", size: 300 });
    expect(misfits(form).map(({ message }) => message)).toEqual(["must lie between 0 and 200"]);
    expect(nextMisfit({ ...form, active: 2 })).toBe(1);
    expect(misfits(give(form, 1, "about ten"))[0]?.message).toBe("needs a number");
    expect(nextMisfit(give(form, 1, 12))).toBeNull();
  });

  it("sends text without its margins and leaves blank text out", () => {
    const form = newForm([text], { text: " motion " });
    expect(sentAnswers(form)).toEqual({ text: "motion" });
    expect(sentAnswers(newForm([text], { text: "  " }))).toEqual({});
  });
});
