/** Answers, images and display rules in words. */
import type { Layout } from "../viewer/layout";
import { withUnit } from "../viewer/values";
import { isNotEvaluable, isOnLine, placesOf, regionOf } from "./answers";
import { ranksOf } from "./form";
import type { Condition, FormSpec, Question, Value } from "./contract";
import { regionText } from "./regions";
import { list } from "./words";

/** Names of the images beside each other; their own labels where these differ. */
export function placeLabels(question: Question, layout: Layout | null): readonly string[] {
  const count = placesOf(question);
  const labels = Array.from({ length: count }, (_, at) => {
    const slots = layout?.slots.filter(({ place }) => (place ?? 0) === at) ?? [];
    return slots.length === 1 ? slots[0]?.label : undefined;
  });
  const own = labels.every((label) => label !== undefined) && new Set(labels).size === count;
  return own ? labels : labels.map((_, at) => `Image ${at + 1}`);
}

function labelOf({ options }: Question, code: unknown): string {
  return options.find((option) => option.code === code)?.label ?? String(code);
}

export function valueText(question: Question, value: Value, layout: Layout | null): string {
  if (isNotEvaluable(value)) return "Not evaluable";
  if (question.kind === "ranking") {
    const labels = placeLabels(question, layout);
    return ranksOf(value)
      .map((image, at) => `${at + 1}. ${labels[image] ?? ""}`)
      .join(", ");
  }
  if (question.kind === "place") {
    return value === "equal" ? "Equal" : (placeLabels(question, layout)[value as number] ?? "");
  }
  const region = regionOf(value);
  if (region) return layout ? regionText(region, layout) : "Drawn on the image";
  if (typeof value === "number") return withUnit(String(value), unitOf(question));
  if (question.kind === "text") return typeof value === "string" ? `“${value}”` : "";
  const codes: readonly unknown[] = Array.isArray(value) ? value : [value];
  return codes.map((code) => labelOf(question, code)).join(", ");
}

function unitOf(question: Question): string {
  if (isOnLine(question)) return `of ${question.maximum ?? 100}`;
  return question.unit ?? "";
}

export interface AnswerRow {
  readonly question: string;
  readonly answer: string;
}

/** What was answered in a form, question by question. */
export function answerRows(
  { questions, layout }: FormSpec,
  answers: Readonly<Record<string, Value>>,
): readonly AnswerRow[] {
  return questions.flatMap((question) => {
    const value = answers[question.code];
    if (value === undefined) return [];
    return [{ question: question.text, answer: valueText(question, value, layout) }];
  });
}

/** "asked if Synthetic"; empty where a question is always asked. */
export function askedIf(question: Question, questions: readonly Question[]): string {
  const find = (code: string) => questions.find((one) => one.code === code);
  const bound = question.bound_to ? find(question.bound_to) : undefined;
  const { all, any } = question.show_if ?? {};
  const rule = (all ?? any ?? []).map((condition) => conditionText(condition, find));
  const words = rule.filter((text) => text !== "").join(all ? " and " : " or ");
  if (words !== "") return `asked ${words}`;
  return bound ? `asked once “${bound.text}” is answered` : "";
}

function conditionText(condition: Condition, find: (code: string) => Question | undefined): string {
  const asked = find(condition.question);
  if (!asked) return "";
  const labels = (codes: readonly string[]) =>
    list(
      codes.map((code) => labelOf(asked, code)),
      "or",
    );
  if (condition.is) return `if ${labels(condition.is)}`;
  if (condition.not) return `unless ${labels(condition.not)}`;
  const unit = unitOf(asked);
  if (condition.at_least !== undefined) return `from ${withUnit(`${condition.at_least}`, unit)}`;
  if (condition.at_most !== undefined) return `up to ${withUnit(`${condition.at_most}`, unit)}`;
  return condition.answered ? `once “${asked.text}” is answered` : `without “${asked.text}”`;
}
