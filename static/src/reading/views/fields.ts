/** Where an answer is given: one class for each way of answering. */
import { h, icon, key, setText } from "../../shared/dom";
import type { Layout } from "../../viewer/layout";
import { isOnLine, regionOf } from "../answers";
import type { Option, Question, Value } from "../contract";
import { choicesOf, isChosen, ranksOf } from "../form";
import { regionPrompt, regionText } from "../regions";
import { placeLabels } from "../wording";

export interface FieldHooks {
  choose(option: string): void;
  give(value: Value | null): void;
  showRegion(): void;
  clearRegion(): void;
}

export interface Field {
  readonly element: HTMLElement;
  /** Is it typed into, so that keys belong to it while it has the focus? */
  readonly typed: boolean;
  show(value: Value | undefined): void;
  focus(): void;
  /** Moves the focus among the choices without choosing. */
  focusBy?(step: number): void;
  /** Types a first character into it. */
  begin?(text: string): void;
}

const SCALE_LIMIT = 6;
const SCALE_LABEL_LIMIT = 11;
const ROW_LABEL_LIMIT = 20;
const EXAMPLES = "/e/";

/** How the options of a question are laid out. */
export function optionLayout({ options, kind }: Question): string {
  const longest = Math.max(...options.map(({ label }) => label.length));
  const rich = options.some((option) => option.anchor || exampleAddress(option) !== null);
  if (rich || longest > ROW_LABEL_LIMIT) return "options--rows";
  const scale = options.length <= SCALE_LIMIT && longest <= SCALE_LABEL_LIMIT;
  if (kind === "ordinal" || kind === "confidence")
    return scale ? "options--scale" : "options--rows";
  const choice = kind === "single" && options.length === 2;
  return choice ? "options--2 options--choice" : "options--2";
}

/** Levels with words stand as on a rating sheet, the highest first. */
function standsHighestFirst({ kind }: Question, look: string): boolean {
  return look === "options--rows" && (kind === "ordinal" || kind === "confidence");
}

/** Where the example image of an option is, if it has one. */
export function exampleAddress({ example }: Option): string | null {
  return typeof example === "string" && example !== "" ? `${EXAMPLES}${example}` : null;
}

export function makeField(question: Question, layout: Layout | null, hooks: FieldHooks): Field {
  if (question.kind === "region") return new RegionField(question, layout, hooks);
  if (question.kind === "number") return new NumberField(question, hooks);
  if (question.kind === "text") return new TextField(question, hooks);
  if (question.kind === "ranking") return new RankField(question, layout, hooks);
  if (isOnLine(question)) return new LineField(question, hooks);
  return new ChoiceField(question, layout, hooks);
}

interface Choice {
  readonly code: string;
  readonly digit: string | null;
  readonly label: string;
  readonly option: Option | null;
}

function choices(question: Question, layout: Layout | null): readonly Choice[] {
  const images = placeLabels(question, layout);
  return choicesOf(question).map(({ code, digit }, at) => {
    const option = question.options[at] ?? null;
    const label = code === "equal" ? "Equal" : (images[at] ?? "");
    return { code, digit, label: option?.label ?? label, option };
  });
}

/** Native radios or checkboxes, also for one of the images beside each other. */
class ChoiceField implements Field {
  readonly element: HTMLElement;
  readonly typed = false;
  private readonly inputs = new Map<string, HTMLInputElement>();

  constructor(
    private readonly question: Question,
    layout: Layout | null,
    private readonly hooks: FieldHooks,
  ) {
    const place = question.kind === "place";
    const look = place ? "options--2 options--choice" : optionLayout(question);
    const shown = [...choices(question, layout)];
    if (standsHighestFirst(question, look)) shown.reverse();
    this.element = h(
      "div",
      { class: `options ${look}` },
      ...shown.map((choice, at) => this.option(choice, at, look)),
    );
  }

  show(value: Value | undefined): void {
    for (const [code, input] of this.inputs) input.checked = isChosen(value, code);
  }

  focus(): void {
    const inputs = [...this.inputs.values()];
    (inputs.find((input) => input.checked) ?? inputs[0])?.focus();
  }

  focusBy(step: number): void {
    const inputs = [...this.inputs.values()];
    const at = inputs.indexOf(document.activeElement as HTMLInputElement);
    inputs[(at + step + inputs.length) % inputs.length]?.focus();
  }

  private option({ code, digit, label, option }: Choice, at: number, look: string): HTMLElement {
    const multi = this.question.kind === "multi";
    const input = h("input", {
      type: multi ? "checkbox" : "radio",
      name: this.question.code,
      value: code,
      // A question is one stop of the Tab key; arrows move within it.
      tabindex: multi && at > 0 ? -1 : 0,
    });
    input.addEventListener("change", () => this.hooks.choose(code));
    this.inputs.set(code, input);
    const example = option && exampleAddress(option);
    return h(
      "label",
      { class: "option" },
      input,
      digit !== null && key(digit, false),
      h("span", { class: "option__label" }, label),
      look === "options--rows" && h("span", { class: "option__anchor" }, option?.anchor ?? ""),
      example && h("img", { class: "option__example", src: example, alt: "", loading: "lazy" }),
      icon("check"),
    );
  }
}

/** A confidence between two ends. Nothing is set, and no place is shown, until it is given. */
class LineField implements Field {
  readonly element: HTMLElement;
  readonly typed = false;
  private readonly input: HTMLInputElement;
  private readonly value = h("output", { class: "line__value" });

  constructor({ code, text, minimum, maximum }: Question, hooks: FieldHooks) {
    const [low, high] = [minimum ?? 0, maximum ?? 100];
    this.input = h("input", {
      type: "range",
      class: "line__input",
      name: code,
      min: low,
      max: high,
      step: 1,
      "aria-label": text,
    });
    const give = () => hooks.give(Number(this.input.value));
    this.input.addEventListener("input", give);
    // A press where the hidden handle stands already changes nothing, and is an answer all the same.
    this.input.addEventListener("pointerup", give);
    this.element = h(
      "div",
      { class: "line" },
      h("div", { class: "line__track" }, this.input),
      this.value,
      h(
        "div",
        { class: "line__ends" },
        h("span", {}, String(low)),
        h("span", { class: "line__keys" }, "type it, or ", key("←", false), key("→", false)),
        h("span", {}, String(high)),
      ),
    );
  }

  show(value: Value | undefined): void {
    const set = typeof value === "number";
    this.element.classList.toggle("is-set", set);
    if (set) this.input.value = String(value);
    setText(this.value, set ? String(value) : "–");
    this.input.setAttribute("aria-valuetext", set ? String(value) : "not set");
  }

  focus(): void {
    this.input.focus();
  }
}

/** What a reader typed, as a number where it is one. */
export function parseNumber(typed: string): number | string | null {
  const text = typed.trim().replace(",", ".").replace("−", "-");
  if (text === "") return null;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

function limitsText({ minimum = null, maximum = null, whole }: Question): string {
  const kind = whole ? "whole number" : "number";
  if (minimum !== null && maximum !== null) return `${kind}, ${minimum} to ${maximum}`;
  if (minimum !== null) return `${kind}, ${minimum} or more`;
  return maximum === null ? kind : `${kind}, ${maximum} or less`;
}

class NumberField implements Field {
  readonly element: HTMLElement;
  readonly typed = true;
  private readonly input: HTMLInputElement;

  constructor(
    question: Question,
    private readonly hooks: FieldHooks,
  ) {
    this.input = h("input", {
      class: "input number__input",
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      name: question.code,
      "aria-label": question.text,
    });
    this.input.addEventListener("input", () => this.tell());
    this.element = h(
      "div",
      { class: "number" },
      this.input,
      question.unit ? h("span", { class: "number__unit" }, question.unit) : null,
      h("span", { class: "number__limits" }, limitsText(question)),
    );
  }

  show(value: Value | undefined): void {
    const text = typeof value === "number" || typeof value === "string" ? String(value) : "";
    // "12." is on its way to 12.5 and stays as it was typed.
    if (parseNumber(this.input.value) !== parseNumber(text)) this.input.value = text;
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  begin(text: string): void {
    this.input.focus();
    this.input.value = text;
    this.tell();
  }

  private tell(): void {
    this.hooks.give(parseNumber(this.input.value));
  }
}

const TEXT_ROWS = 3;

class TextField implements Field {
  readonly element: HTMLElement;
  readonly typed = true;
  private readonly area: HTMLTextAreaElement;

  constructor(question: Question, hooks: FieldHooks) {
    this.area = h("textarea", {
      class: "input text__area",
      rows: TEXT_ROWS,
      name: question.code,
      "aria-label": question.text,
    });
    this.area.addEventListener("input", () => hooks.give(this.area.value || null));
    this.element = h(
      "div",
      { class: "text" },
      this.area,
      h("p", { class: "text__keys" }, key("Esc", false), "leaves; the keys work again"),
    );
  }

  show(value: Value | undefined): void {
    const text = typeof value === "string" ? value : "";
    if (this.area.value !== text) this.area.value = text;
  }

  focus(): void {
    this.area.focus();
  }
}

/** Images in the order in which they are chosen. */
class RankField implements Field {
  readonly element: HTMLElement;
  readonly typed = false;
  private readonly rows: readonly { button: HTMLButtonElement; rank: HTMLElement; label: string }[];

  constructor(question: Question, layout: Layout | null, hooks: FieldHooks) {
    this.rows = choices(question, layout).map(({ code, digit, label }, at) => {
      const rank = h("span", { class: "rank__number" });
      const button = h(
        "button",
        { type: "button", class: "option rank", tabindex: at > 0 ? -1 : 0 },
        digit !== null && key(digit, false),
        h("span", { class: "option__label" }, label),
        rank,
      );
      button.addEventListener("click", () => hooks.choose(code));
      return { button, rank, label };
    });
    this.element = h(
      "div",
      { class: "options options--rows" },
      ...this.rows.map(({ button }) => button),
      h("p", { class: "rank__keys" }, "best first; ", key("⌫", false), " takes the last one back"),
    );
  }

  show(value: Value | undefined): void {
    const order = ranksOf(value);
    this.rows.forEach(({ button, rank, label }, image) => {
      const at = order.indexOf(image);
      setText(rank, at < 0 ? "" : String(at + 1));
      button.classList.toggle("is-set", at >= 0);
      button.setAttribute("aria-label", at < 0 ? label : `${label}, rank ${at + 1}`);
    });
  }

  focus(): void {
    this.rows[0]?.button.focus();
  }

  focusBy(step: number): void {
    const buttons = this.rows.map(({ button }) => button);
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    buttons[(at + step + buttons.length) % buttons.length]?.focus();
  }
}

/** A place on the image as an answer: what was measured, where, and how to get there. */
class RegionField implements Field {
  readonly element: HTMLElement;
  readonly typed = false;
  private readonly text = h("span", { class: "region__text" });
  private readonly go = h("button", { type: "button", class: "button button--small" }, "Show");
  private readonly drop = h("button", { type: "button", class: "button button--small" }, "Clear");
  private readonly prompt: string;

  constructor(
    question: Question,
    private readonly layout: Layout | null,
    hooks: FieldHooks,
  ) {
    this.prompt = layout ? regionPrompt(question, layout) : "";
    this.go.addEventListener("click", () => hooks.showRegion());
    this.drop.addEventListener("click", () => hooks.clearRegion());
    this.element = h(
      "div",
      { class: "region", tabindex: -1 },
      icon(question.region?.kind === "point" ? "mark" : (question.region?.kind ?? "mark")),
      this.text,
      this.go,
      this.drop,
    );
  }

  show(value: Value | undefined): void {
    const region = regionOf(value);
    const text = region && this.layout ? regionText(region, this.layout) : this.prompt;
    setText(this.text, text);
    this.element.classList.toggle("is-set", region !== null);
    this.go.hidden = region === null;
    this.drop.hidden = region === null;
  }

  focus(): void {
    (this.go.hidden ? this.element : this.go).focus();
  }
}
