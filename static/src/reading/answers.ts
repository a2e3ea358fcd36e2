/**
 * What counts as an answer, and which questions are asked. The same rules as
 * `readerstudy/studies/answers.py`; tests/vectors/answers.json holds both to one meaning.
 */
import type {
  Answers,
  Condition,
  NotEvaluable,
  Question,
  Region,
  RegionAnswer,
  Value,
} from "./contract";

export const TEXT_LIMIT = 4000;

/** An answer does not fit its question; the message ends a sentence that names it. */
export class Misfit extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** Nothing was given; else what was given does not fit. */
    readonly missing = false,
  ) {
    super(message);
  }
}

export function isNotEvaluable(value: unknown): value is NotEvaluable {
  return typeof value === "object" && value !== null && "not_evaluable" in value;
}

export function regionOf(value: unknown): Region | null {
  const holds = typeof value === "object" && value !== null && "region" in value;
  return holds ? (value as RegionAnswer).region : null;
}

function isEmpty(raw: unknown): boolean {
  if (raw === undefined || raw === null) return true;
  if (typeof raw === "string") return raw.trim() === "";
  return Array.isArray(raw) && raw.length === 0;
}

/** A form, finished or not, as the rules see it. */
export interface Judged {
  /** What is asked and fits, as it is stored. */
  readonly values: Answers;
  /** Codes of the questions that are asked. */
  readonly asked: ReadonlySet<string>;
  /** What is missing or does not fit, in the order of the questions. */
  readonly misfits: readonly Misfit[];
}

/** Goes through a form; what is not asked, or does not fit, counts as not given. */
export function judge(questions: readonly Question[], answers: Answers): Judged {
  const values: Record<string, Value> = {};
  const asked = new Set<string>();
  const misfits: Misfit[] = [];
  for (const question of questions) {
    const { code } = question;
    if (!isShown(question, values)) continue;
    asked.add(code);
    try {
      if (!isEmpty(answers[code])) values[code] = checkValue(question, answers[code]);
      else if (question.required) misfits.push(new Misfit(code, "needs an answer", true));
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      misfits.push(error);
    }
  }
  return { values, asked, misfits };
}

/** Checks a complete form; returns the values of the questions that were asked and answered. */
export function checkForm(questions: readonly Question[], answers: unknown): Answers {
  if (typeof answers !== "object" || answers === null || Array.isArray(answers)) {
    throw new Misfit("", "The answers must be an object.");
  }
  const given = answers as Answers;
  const known = new Set(questions.map(({ code }) => code));
  const [unknown] = Object.keys(given)
    .filter((code) => !known.has(code))
    .sort();
  if (unknown !== undefined) throw new Misfit(unknown, "is no question of this study");
  const { values, asked, misfits } = judge(questions, given);
  const unasked = questions.filter(({ code }) => !asked.has(code) && !isEmpty(given[code]));
  const order = questions.map(({ code }) => code);
  const [first] = [...misfits, ...unasked.map(({ code }) => new Misfit(code, "was not asked here"))]
    // The first question in their order is named, as on the server.
    .sort((a, b) => order.indexOf(a.code) - order.indexOf(b.code));
  if (first) throw first;
  return values;
}

/** Is a question asked, given the values of those before it? */
export function isShown(question: Question, values: Answers): boolean {
  const { bound_to: boundTo, show_if: rule } = question;
  if (boundTo && (!(boundTo in values) || isNotEvaluable(values[boundTo]))) return false;
  if (rule?.all) return rule.all.every((condition) => holds(condition, values));
  if (rule?.any) return rule.any.some((condition) => holds(condition, values));
  return true;
}

function holds(condition: Condition, values: Answers): boolean {
  const value = values[condition.question];
  if (condition.answered !== undefined) return (value !== undefined) === condition.answered;
  if (value === undefined || isNotEvaluable(value)) return false;
  const codes = condition.is ?? condition.not;
  if (codes) {
    const given: readonly unknown[] = Array.isArray(value) ? value : [value];
    const found = given.some((one) => (codes as readonly unknown[]).includes(one));
    return condition.is ? found : !found;
  }
  if (typeof value !== "number") return false;
  if (condition.at_least !== undefined) return value >= condition.at_least;
  return condition.at_most !== undefined && value <= condition.at_most;
}

/** The value in its stored form. */
export function checkValue(question: Question, raw: unknown): Value {
  if (isNotEvaluable(raw)) {
    if (question.may_be_not_evaluable) return { not_evaluable: true };
    throw new Misfit(question.code, "cannot be answered with “not evaluable”");
  }
  return CHECKS[question.kind](question, raw);
}

const CHECKS: Readonly<Record<Question["kind"], (question: Question, raw: unknown) => Value>> = {
  single: oneOf,
  ordinal: oneOf,
  multi: several,
  confidence: (question, raw) =>
    isOnLine(question) ? number(question, raw) : oneOf(question, raw),
  number,
  text,
  region,
  place,
  ranking,
};

/** A confidence without levels is a place on a line. */
export function isOnLine(question: Question): boolean {
  return question.kind === "confidence" && question.options.length === 0;
}

export function placesOf(question: Question): number {
  return question.places ?? 1;
}

function oneOf({ code, options }: Question, raw: unknown): string {
  if (typeof raw === "string" && options.some((option) => option.code === raw)) return raw;
  throw new Misfit(code, "has no such choice");
}

function several({ code, options }: Question, raw: unknown): readonly string[] {
  const codes = options.map((option) => option.code);
  if (!Array.isArray(raw) || raw.some((one) => !codes.includes(one as string))) {
    throw new Misfit(code, "has no such choice");
  }
  return codes.filter((one) => raw.includes(one));
}

function number(question: Question, raw: unknown): number {
  const { code, minimum = null, maximum = null, whole = false } = question;
  if (typeof raw !== "number" || !Number.isFinite(raw)) throw new Misfit(code, "needs a number");
  if (whole && !Number.isInteger(raw)) throw new Misfit(code, "needs a whole number");
  if ((minimum !== null && raw < minimum) || (maximum !== null && raw > maximum)) {
    throw new Misfit(code, `must lie ${span(minimum, maximum)}`);
  }
  return raw;
}

function span(low: number | null, high: number | null): string {
  if (low !== null && high !== null) return `between ${low} and ${high}`;
  return low !== null ? `at ${low} or above` : `at ${high} or below`;
}

function text({ code }: Question, raw: unknown): string {
  if (typeof raw !== "string") throw new Misfit(code, "needs text");
  // Characters, not the halves of a pair that JavaScript counts.
  if (raw.length > TEXT_LIMIT && Array.from(raw).length > TEXT_LIMIT) {
    throw new Misfit(code, `may have at most ${TEXT_LIMIT} characters`);
  }
  return raw.trim();
}

function region(question: Question, raw: unknown): Value {
  const kind = question.region?.kind ?? "point";
  if (regionOf(raw)?.kind === kind) return raw as RegionAnswer;
  throw new Misfit(question.code, `needs a ${kind} on the image`);
}

function isPlace(question: Question, raw: unknown): raw is number {
  const whole = typeof raw === "number" && Number.isInteger(raw);
  return whole && raw >= 0 && raw < placesOf(question);
}

function place(question: Question, raw: unknown): number | "equal" {
  if (raw === "equal" && question.equal) return raw;
  if (isPlace(question, raw)) return raw;
  throw new Misfit(question.code, "has no such image");
}

function ranking(question: Question, raw: unknown): readonly number[] {
  const ranked = Array.isArray(raw) ? raw.filter((one) => isPlace(question, one)) : [];
  const count = placesOf(question);
  const each = new Set(ranked).size === count && (raw as readonly unknown[]).length === count;
  if (each) return ranked;
  // Some images still without a rank are missing, not wrong.
  throw new Misfit(question.code, "needs each image once", ranked.length < count);
}
