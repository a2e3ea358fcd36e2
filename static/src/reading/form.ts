/** The form, without a page: which question is active and what a key does to it. */
import { isNotEvaluable, isOnLine, judge, type Judged, Misfit, placesOf } from "./answers";
import type { Answers, Question, Region, Value } from "./contract";

export interface Form {
  readonly questions: readonly Question[];
  /** What was entered, also where it is not asked now or does not fit yet. */
  readonly answers: Answers;
  /** Index of the active question. */
  readonly active: number;
  /** Digits typed in a row on a line, since the question became active. */
  readonly typed: string;
}

const judged = new WeakMap<Form, Judged>();

/** The form as the rules see it. */
export function judgedForm(form: Form): Judged {
  const known = judged.get(form) ?? judge(form.questions, form.answers);
  judged.set(form, known);
  return known;
}

export function newForm(questions: readonly Question[], answers: Answers = {}): Form {
  const form = { questions, answers, active: 0, typed: "" };
  const { asked, values } = judgedForm(form);
  const open = questions.findIndex(({ code }) => asked.has(code) && !(code in values));
  return { ...form, active: Math.max(0, open) };
}

/** What is missing or does not fit, in the order of the questions. */
export function misfits(form: Form): readonly Misfit[] {
  return judgedForm(form).misfits;
}

/** Required questions that are asked as soon as the answer they speak of is given. */
export function questionsToCome(form: Form): number {
  const { asked, values } = judgedForm(form);
  const opens = ({ bound_to: to, show_if: rule }: Question) =>
    to !== undefined && asked.has(to) && !(to in values) && !rule?.all && !rule?.any;
  return form.questions.filter((one) => one.required && !asked.has(one.code) && opens(one)).length;
}

export function isComplete(form: Form): boolean {
  return misfits(form).length === 0;
}

/** What is sent: the answers to what was asked, and no other. */
export function sentAnswers(form: Form): Answers {
  return judgedForm(form).values;
}

export function isAsked(form: Form, index: number): boolean {
  return judgedForm(form).asked.has(form.questions[index]?.code ?? "");
}

/** Is an option chosen, or an image, named by its number? */
export function isChosen(value: Value | undefined, option: string): boolean {
  if (Array.isArray(value)) return value.includes(option);
  return typeof value === "number" ? String(value) === option : value === option;
}

// Digits.

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

/**
 * Digit that chooses an option: a scale whose codes are single digits keeps them, else the options
 * are counted from 1 and the tenth is 0. Options beyond the tenth have none.
 */
export function digitOf(question: Question, index: number): string | null {
  const codes = question.options.map((option) => option.code);
  const ownDigits =
    codes.every((code) => /^\d$/.test(code)) && new Set(codes).size === codes.length;
  return (ownDigits ? codes[index] : DIGITS[index]) ?? null;
}

/** What digits choose of: options, or images beside each other. */
export function choicesOf(question: Question): readonly { code: string; digit: string | null }[] {
  if (question.kind !== "place" && question.kind !== "ranking") {
    return question.options.map(({ code }, at) => ({ code, digit: digitOf(question, at) }));
  }
  const images = Array.from({ length: placesOf(question) }, (_, at) => ({
    code: String(at),
    digit: DIGITS[at] ?? null,
  }));
  const equal = question.kind === "place" && question.equal === true;
  return equal ? [...images, { code: "equal", digit: "0" }] : images;
}

export function chooseByDigit(form: Form, digit: string): Form {
  const question = form.questions[form.active];
  if (!question || !isAsked(form, form.active)) return form;
  if (isOnLine(question)) return typeOnLine(form, question, digit);
  const found = choicesOf(question).find((choice) => choice.digit === digit);
  return found ? choose(form, form.active, found.code) : form;
}

// Choices.

/** A single choice moves on to the next open question; any number of choices stays. */
export function choose(form: Form, index: number, option: string): Form {
  const question = form.questions[index];
  if (!question) return form;
  if (question.kind === "multi") return toggle(activate(form, index), question, option);
  if (question.kind === "ranking") return rank(activate(form, index), question, Number(option));
  const image = question.kind === "place" && option !== "equal";
  return answered(form, index, image ? Number(option) : option);
}

/** Sets or takes back what was typed, without moving on. */
export function give(form: Form, index: number, value: Value | null): Form {
  const question = form.questions[index];
  if (!question) return form;
  return { ...withAnswer(activate(form, index), question.code, value), typed: "" };
}

/** Marks a question not evaluable, or takes the mark back. */
export function toggleNotEvaluable(form: Form, index: number): Form {
  const question = form.questions[index];
  if (!question?.may_be_not_evaluable || !isAsked(form, index)) return form;
  const marked = isNotEvaluable(form.answers[question.code]);
  return marked ? give(form, index, null) : answered(form, index, { not_evaluable: true });
}

/** Sets the region of a question, or takes it back; the first one moves on like a single choice. */
export function setRegion(form: Form, code: string, region: Region | null): Form {
  const index = form.questions.findIndex((question) => question.code === code);
  if (index < 0) return form;
  if (region === null) return give(form, index, null);
  if (!(code in form.answers)) return answered(form, index, { region });
  return withAnswer(form, code, { region });
}

function answered(form: Form, index: number, value: Value): Form {
  const after = withAnswer(form, (form.questions[index] as Question).code, value);
  return { ...after, active: nextOpen(after, index), typed: "" };
}

function withAnswer(form: Form, code: string, value: Value | null): Form {
  const others = Object.entries(form.answers).filter(([name]) => name !== code);
  const answers = Object.fromEntries(value === null ? others : [...others, [code, value]]);
  return { ...form, answers };
}

function toggle(form: Form, question: Question, option: string): Form {
  const before = form.answers[question.code];
  const chosen = new Set(Array.isArray(before) ? (before as readonly string[]) : []);
  if (!chosen.delete(option)) chosen.add(option);
  const codes = question.options.map(({ code }) => code).filter((code) => chosen.has(code));
  return withAnswer(form, question.code, codes.length === 0 ? null : codes);
}

/** Gives an image the next rank; one that has a rank loses it, and those after it move up. */
function rank(form: Form, question: Question, image: number): Form {
  const before = ranksOf(form.answers[question.code]);
  const ranked = before.includes(image)
    ? before.filter((one) => one !== image)
    : [...before, image];
  const after = withAnswer(form, question.code, ranked.length === 0 ? null : ranked);
  const whole = ranked.length === placesOf(question);
  return whole ? { ...after, active: nextOpen(after, form.active) } : after;
}

/** Images in the order of their ranks, also while some have none. */
export function ranksOf(value: Value | undefined): readonly number[] {
  return Array.isArray(value) ? (value as readonly number[]) : [];
}

// A line.

const MIDDLE = 0.5;

function limits({ minimum, maximum }: Question): readonly [number, number] {
  return [minimum ?? 0, maximum ?? 100];
}

/** Digits in a row make the number; one that would leave the line begins a new number. */
function typeOnLine(form: Form, question: Question, digit: string): Form {
  const [, high] = limits(question);
  const longer = form.typed + digit;
  const typed = Number(longer) <= high ? longer : digit;
  return { ...give(form, form.active, Number(typed)), typed };
}

/** Moves along the line; the first move begins in the middle. */
export function nudge(form: Form, by: number): Form {
  const question = form.questions[form.active];
  if (!question || !isOnLine(question) || !isAsked(form, form.active)) return form;
  const [low, high] = limits(question);
  const before = form.answers[question.code];
  const from = typeof before === "number" ? before : low + MIDDLE * (high - low);
  const next = typeof before === "number" ? from + by : from;
  return give(form, form.active, Math.min(high, Math.max(low, Math.round(next))));
}

/** Takes back the last digit of a line or the last rank; the same form where there is neither. */
export function takeBack(form: Form): Form {
  const question = form.questions[form.active];
  if (!question || !(question.code in form.answers)) return form;
  if (question.kind === "ranking") {
    const left = ranksOf(form.answers[question.code]).slice(0, -1);
    return give(form, form.active, left.length === 0 ? null : left);
  }
  if (!isOnLine(question)) return form;
  const typed = form.typed.slice(0, -1);
  return { ...give(form, form.active, typed === "" ? null : Number(typed)), typed };
}

// Moving.

export function activate(form: Form, index: number): Form {
  if (index === form.active || !isAsked(form, index)) return form;
  return { ...form, active: index, typed: "" };
}

/** The next question that is asked, in one direction; null beyond the last. */
export function neighbour(form: Form, by: 1 | -1): number | null {
  for (let at = form.active + by; at >= 0 && at < form.questions.length; at += by) {
    if (isAsked(form, at)) return at;
  }
  return null;
}

/** The next question that keeps the case from being saved, from the active one on. */
export function nextMisfit(form: Form): number | null {
  const codes = new Set(misfits(form).map(({ code }) => code));
  const places = form.questions.map((_, at) => (form.active + at) % form.questions.length);
  return places.find((at) => codes.has((form.questions[at] as Question).code)) ?? null;
}

/** The first question after this one that is asked and has no answer, from the top if need be. */
function nextOpen(form: Form, index: number): number {
  const { asked, values } = judgedForm(form);
  const count = form.questions.length;
  for (let step = 1; step < count; step++) {
    const at = (index + step) % count;
    const { code } = form.questions[at] as Question;
    if (asked.has(code) && !(code in values)) return at;
  }
  return index;
}
