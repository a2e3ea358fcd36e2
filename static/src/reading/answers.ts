/** The rules of the form, without a page: which question is active and what a key does to it. */
import type { Answers, Question, Region, Value } from "./contract";

export interface Form {
  readonly questions: readonly Question[];
  readonly answers: Answers;
  /** Index of the active question. */
  readonly active: number;
}

export function newForm(questions: readonly Question[], answers: Answers = {}): Form {
  const form = { questions, answers, active: 0 };
  const open = questions.findIndex((question) => !(question.code in answers));
  return { ...form, active: Math.max(0, open) };
}

export function isNotEvaluable(value: Value | undefined): boolean {
  return typeof value === "object" && "not_evaluable" in value;
}

export function regionOf(value: Value | undefined): Region | null {
  return typeof value === "object" && "region" in value ? value.region : null;
}

/** Sets the region of a question, or takes it back; the first one moves on like a single choice. */
export function setRegion(form: Form, code: string, region: Region | null): Form {
  const index = form.questions.findIndex((question) => question.code === code);
  if (index < 0) return form;
  if (region === null) return { ...form, answers: without(form.answers, code), active: index };
  const first = !(code in form.answers);
  const answers: Answers = { ...form.answers, [code]: { region } };
  return { ...form, answers, active: first ? nextOpen(form, answers, index) : form.active };
}

export function isChosen(value: Value | undefined, option: string): boolean {
  return Array.isArray(value) ? value.includes(option) : value === option;
}

/** Required questions without an answer. */
export function missing(form: Form): Question[] {
  return form.questions.filter((question) => question.required && !(question.code in form.answers));
}

export function isComplete(form: Form): boolean {
  return missing(form).length === 0;
}

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

export function chooseByDigit(form: Form, digit: string): Form {
  const question = form.questions[form.active];
  if (!question) return form;
  const index = question.options.findIndex((_, at) => digitOf(question, at) === digit);
  const option = question.options[index];
  return option ? choose(form, form.active, option.code) : form;
}

/** A single choice moves on to the next open question; any number of choices stays. */
export function choose(form: Form, index: number, option: string): Form {
  const question = form.questions[index];
  if (!question) return form;
  if (question.kind === "multi") return toggle({ ...form, active: index }, question, option);
  const answers = { ...form.answers, [question.code]: option };
  return { ...form, answers, active: nextOpen(form, answers, index) };
}

/** Marks a question not evaluable, or takes the mark back. */
export function toggleNotEvaluable(form: Form, index: number): Form {
  const question = form.questions[index];
  if (!question?.may_be_not_evaluable) return form;
  if (isNotEvaluable(form.answers[question.code])) {
    return { ...form, answers: without(form.answers, question.code), active: index };
  }
  const answers: Answers = { ...form.answers, [question.code]: { not_evaluable: true } };
  return { ...form, answers, active: nextOpen(form, answers, index) };
}

export function activate(form: Form, index: number): Form {
  return index >= 0 && index < form.questions.length ? { ...form, active: index } : form;
}

function toggle(form: Form, question: Question, option: string): Form {
  const before = form.answers[question.code];
  const chosen = new Set(Array.isArray(before) ? (before as readonly string[]) : []);
  if (!chosen.delete(option)) chosen.add(option);
  if (chosen.size === 0) return { ...form, answers: without(form.answers, question.code) };
  const codes = question.options.map(({ code }) => code).filter((code) => chosen.has(code));
  return { ...form, answers: { ...form.answers, [question.code]: codes } };
}

function without(answers: Answers, code: string): Answers {
  return Object.fromEntries(Object.entries(answers).filter(([name]) => name !== code));
}

/** The first question after this one without an answer, from the top again if need be. */
function nextOpen(form: Form, answers: Answers, index: number): number {
  const count = form.questions.length;
  for (let step = 1; step < count; step++) {
    const at = (index + step) % count;
    if (!((form.questions[at] as Question).code in answers)) return at;
  }
  return index;
}
