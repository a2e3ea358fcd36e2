import { h, icon, key, setText } from "../../shared/dom";
import type { Layout } from "../../viewer/layout";
import { digitOf, type Form, isChosen, isNotEvaluable, regionOf } from "../answers";
import type { Option, Question } from "../contract";
import { regionPrompt, regionText } from "../regions";

export interface QuestionHooks {
  choose(question: number, option: string): void;
  notEvaluable(question: number): void;
  activate(question: number): void;
  /** Goes to the place given as an answer. */
  showRegion(question: number): void;
  clearRegion(question: number): void;
  /** Takes the tool that marks a spot on the image. */
  mark(): void;
}

const SCALE_LIMIT = 6;
const SCALE_LABEL_LIMIT = 11;
const ROW_LABEL_LIMIT = 20;

/** How the options of a question are laid out. */
export function optionLayout(question: Question): string {
  const { options, kind } = question;
  const longest = Math.max(...options.map(({ label }) => label.length));
  if (options.some(({ anchor }) => anchor) || longest > ROW_LABEL_LIMIT) return "options--rows";
  const scale = options.length <= SCALE_LIMIT && longest <= SCALE_LABEL_LIMIT;
  if (kind === "ordinal") return scale ? "options--scale" : "options--rows";
  const choice = kind === "single" && options.length === 2;
  return choice ? "options--2 options--choice" : "options--2";
}

function note(question: Question): string {
  if (question.kind === "multi") return question.required ? "any number" : "optional, any number";
  return question.required ? "" : "optional";
}

class QuestionCard {
  readonly element: HTMLFieldSetElement;
  private readonly inputs = new Map<string, HTMLInputElement>();
  private readonly notEvaluable: HTMLInputElement | null = null;
  private readonly help: HTMLElement;
  private readonly region: RegionField | null = null;
  private readonly marks: HTMLElement | null = null;
  private readonly markCount = h("span", { class: "question__count" });

  constructor(
    private readonly question: Question,
    private readonly index: number,
    private readonly hooks: QuestionHooks,
    layout: Layout | null,
  ) {
    this.help = h("p", { class: "question__help", hidden: true }, question.help);
    const text = note(question);
    const options = optionLayout(question);
    if (question.kind === "region" && layout) {
      this.region = new RegionField(question, layout, {
        show: () => hooks.showRegion(index),
        clear: () => hooks.clearRegion(index),
      });
    }
    if (question.kind === "multi" && layout?.tools.includes("mark")) this.marks = this.markRow();
    if (question.may_be_not_evaluable) this.notEvaluable = h("input", { type: "checkbox" });
    this.element = h(
      "fieldset",
      { class: "question" },
      h("legend", { class: "question__title" }, question.text),
      this.notEvaluable && this.notEvaluableLabel(this.notEvaluable),
      text !== "" && !this.notEvaluable && h("span", { class: "question__note" }, text),
      this.help,
      this.region
        ? this.region.element
        : h(
            "div",
            { class: `options ${options}` },
            ...question.options.map((option, at) => this.option(option, at, options)),
          ),
      this.marks,
    );
    this.element.addEventListener("focusin", () => hooks.activate(index));
    this.element.addEventListener("pointerdown", () => hooks.activate(index));
  }

  show(form: Form, lit: boolean): void {
    const value = form.answers[this.question.code];
    const active = lit && form.active === this.index;
    this.element.classList.toggle("is-active", active);
    for (const [code, input] of this.inputs) input.checked = isChosen(value, code);
    if (this.notEvaluable) this.notEvaluable.checked = isNotEvaluable(value);
    this.region?.show(value);
    this.marks?.classList.toggle("is-lit", active);
    if (!active) this.help.hidden = true;
  }

  toggleHelp(): void {
    this.help.hidden = !this.help.hidden || this.question.help === "";
  }

  showMarks(count: number): void {
    if (!this.marks) return;
    setText(this.markCount, count === 0 ? "" : count === 1 ? "1 mark" : `${count} marks`);
  }

  focus(): void {
    if (this.region) return this.region.focus();
    const inputs = [...this.inputs.values()];
    (inputs.find((input) => input.checked) ?? inputs[0])?.focus();
  }

  /** Moves the focus among the options without choosing. */
  focusBy(step: number): void {
    const inputs = [...this.inputs.values()];
    const at = inputs.indexOf(document.activeElement as HTMLInputElement);
    inputs[(at + step + inputs.length) % inputs.length]?.focus();
  }

  private option(option: Option, at: number, layout: string): HTMLElement {
    const multi = this.question.kind === "multi";
    const input = h("input", {
      type: multi ? "checkbox" : "radio",
      name: this.question.code,
      value: option.code,
      // A question is one stop of the Tab key; arrows move within it.
      tabindex: multi && at > 0 ? -1 : 0,
    });
    input.addEventListener("change", () => this.hooks.choose(this.index, option.code));
    this.inputs.set(option.code, input);
    const digit = digitOf(this.question, at);
    return h(
      "label",
      { class: "option" },
      input,
      digit !== null && key(digit, false),
      h("span", { class: "option__label" }, option.label),
      layout === "options--rows" && h("span", { class: "option__anchor" }, option.anchor),
      icon("check"),
    );
  }

  /** What decided it is often a place: this is how to show it. */
  private markRow(): HTMLElement {
    const words = h("span", {}, "Mark the spot on the image");
    const row = h(
      "button",
      { type: "button", class: "question__mark" },
      key("M", false),
      words,
      this.markCount,
    );
    row.addEventListener("click", () => this.hooks.mark());
    return row;
  }

  private notEvaluableLabel(input: HTMLInputElement): HTMLElement {
    input.addEventListener("change", () => this.hooks.notEvaluable(this.index));
    return h("label", { class: "not-evaluable" }, input, key("N", false), "Not evaluable");
  }
}

interface RegionHooks {
  show(): void;
  clear(): void;
}

/** A place on the image as an answer: what was measured, where, and how to get there. */
class RegionField {
  readonly element: HTMLElement;
  private readonly text = h("span", { class: "region__text" });
  private readonly go = h("button", { type: "button", class: "button button--small" }, "Show");
  private readonly drop = h("button", { type: "button", class: "button button--small" }, "Clear");
  private readonly prompt: string;

  constructor(
    question: Question,
    private readonly layout: Layout,
    hooks: RegionHooks,
  ) {
    this.prompt = regionPrompt(question, layout);
    this.go.addEventListener("click", () => hooks.show());
    this.drop.addEventListener("click", () => hooks.clear());
    this.element = h(
      "div",
      { class: "region", tabindex: -1 },
      icon(question.region?.kind === "point" ? "mark" : (question.region?.kind ?? "mark")),
      this.text,
      this.go,
      this.drop,
    );
  }

  show(value: Form["answers"][string] | undefined): void {
    const region = regionOf(value);
    setText(this.text, region ? regionText(region, this.layout) : this.prompt);
    this.element.classList.toggle("is-set", region !== null);
    this.go.hidden = region === null;
    this.drop.hidden = region === null;
  }

  focus(): void {
    (this.go.hidden ? this.element : this.go).focus();
  }
}

/** All questions of the study; they never move. */
export class QuestionList {
  readonly element: HTMLElement;
  private readonly cards: QuestionCard[];

  constructor(questions: readonly Question[], hooks: QuestionHooks, layout: Layout | null = null) {
    this.cards = questions.map(
      (question, index) => new QuestionCard(question, index, hooks, layout),
    );
    this.element = h(
      "form",
      { class: "column__questions", "aria-label": "Questions" },
      ...this.cards.map((card) => card.element),
    );
    this.element.addEventListener("submit", (event) => event.preventDefault());
  }

  show(form: Form, enabled: boolean): void {
    for (const card of this.cards) {
      card.element.disabled = !enabled;
      card.show(form, enabled);
    }
  }

  /** How many spots are marked on the image. */
  showMarks(count: number): void {
    for (const card of this.cards) card.showMarks(count);
  }

  reveal(index: number): void {
    this.cards[index]?.element.scrollIntoView({ block: "nearest" });
  }

  focus(index: number): void {
    this.cards[index]?.focus();
  }

  focusBy(index: number, step: number): void {
    this.cards[index]?.focusBy(step);
  }

  toggleHelp(index: number): void {
    this.cards[index]?.toggleHelp();
  }

  hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }
}
