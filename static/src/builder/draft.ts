/** The open question as the form has it now, in the shape in which a reader's page gets it. */
import type { Question } from "../reading/contract";

function text(form: HTMLFormElement, name: string): string {
  const field = form.elements.namedItem(name);
  if (field instanceof RadioNodeList) return field.value;
  return field !== null && "value" in field ? String(field.value) : "";
}

function ticked(form: HTMLFormElement, name: string): boolean {
  const field = form.elements.namedItem(name);
  return field instanceof HTMLInputElement && field.checked;
}

function all(form: HTMLFormElement, name: string): string[] {
  return [...form.querySelectorAll<HTMLInputElement>(`[name="${name}"]`)].map(({ value }) =>
    value.trim(),
  );
}

/** A code made of a label, as the server makes it. */
export function codeFrom(label: string): string {
  const words = label.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.join("_").slice(0, 32);
}

interface Level {
  readonly code: string;
  readonly label: string;
  readonly anchor: string;
}

export function levelsOf(form: HTMLFormElement): Level[] {
  const [codes, labels, anchors] = ["code", "label", "anchor"].map((name) =>
    all(form, `option_${name}`),
  ) as [string[], string[], string[]];
  return labels
    .map((label, at) => ({
      code: codes[at] === "" ? codeFrom(label) : (codes[at] ?? ""),
      label,
      anchor: anchors[at] ?? "",
    }))
    .filter(({ code, label }) => code !== "" || label !== "");
}

const WITH_LEVELS = ["single", "ordinal", "multi", "confidence"];

function number(form: HTMLFormElement, name: string): number | null {
  const typed = text(form, name).trim();
  return typed === "" || Number.isNaN(Number(typed)) ? null : Number(typed);
}

/** The stored question with everything that was typed since. */
export function typedQuestion(form: HTMLFormElement, stored: Question): Question {
  const kind = text(form, "kind");
  const examples = new Map(stored.options.map((option) => [option.code, option]));
  const options = levelsOf(form).map((level) => ({ ...examples.get(level.code), ...level }));
  const region = { kind: text(form, "region_kind") || "point", role: text(form, "region_role") };
  return {
    ...stored,
    code: text(form, "code") || stored.code,
    text: text(form, "text"),
    kind,
    help: text(form, "help"),
    required: ticked(form, "required"),
    may_be_not_evaluable: ticked(form, "may_be_not_evaluable"),
    minimum: number(form, "minimum"),
    maximum: number(form, "maximum"),
    whole: ticked(form, "whole"),
    unit: text(form, "unit"),
    equal: ticked(form, "equal"),
    bound_to: kind === "confidence" ? text(form, "bound_to") : "",
    options: WITH_LEVELS.includes(kind) ? options : [],
    ...(kind === "region" ? { region: { ...region, role: region.role || null } } : {}),
  } as Question;
}
