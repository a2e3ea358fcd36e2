import { h, key, setText } from "../../shared/dom";
import type { Layout } from "../../viewer/layout";
import { isNotEvaluable, type Misfit } from "../answers";
import type { Question, Value } from "../contract";
import { type Form, isAsked, misfits } from "../form";
import { askedIf } from "../wording";
import { exampleAddress, type Field, makeField } from "./fields";

export { optionLayout } from "./fields";

export interface QuestionHooks {
  choose(question: number, option: string): void;
  notEvaluable(question: number): void;
  activate(question: number): void;
  /** Goes to the place given as an answer. */
  showRegion(question: number): void;
  clearRegion(question: number): void;
  /** Takes the tool that marks a spot on the image. */
  mark(): void;
  /** Takes what was typed or moved; null takes it back. */
  give?(question: number, value: Value | null): void;
}

function note(question: Question): string {
  if (question.kind === "multi") return question.required ? "any number" : "optional, any number";
  return question.required ? "" : "optional";
}

class QuestionCard {
  readonly element: HTMLFieldSetElement;
  readonly field: Field;
  private readonly notEvaluable: HTMLInputElement | null = null;
  private readonly help: HTMLElement;
  private readonly asked: HTMLElement;
  private readonly problem = h("p", { class: "question__problem", role: "status" });
  private readonly marks: HTMLElement | null = null;
  private readonly markCount = h("span", { class: "question__count" });

  constructor(
    private readonly question: Question,
    private readonly index: number,
    private readonly hooks: QuestionHooks,
    layout: Layout | null,
    condition: string,
  ) {
    this.help = this.helpText();
    this.asked = h("span", { class: "question__asked", hidden: true }, condition);
    this.field = makeField(question, layout, {
      choose: (option) => hooks.choose(index, option),
      give: (value) => hooks.give?.(index, value),
      showRegion: () => hooks.showRegion(index),
      clearRegion: () => hooks.clearRegion(index),
    });
    if (question.kind === "multi" && layout?.tools.includes("mark")) this.marks = this.markRow();
    if (question.may_be_not_evaluable) this.notEvaluable = h("input", { type: "checkbox" });
    const text = note(question);
    this.element = h(
      "fieldset",
      { class: `question question--${question.kind}` },
      h("legend", { class: "question__title" }, question.text),
      this.notEvaluable && this.notEvaluableLabel(this.notEvaluable),
      text !== "" && !this.notEvaluable && h("span", { class: "question__note" }, text),
      this.asked,
      this.help,
      this.field.element,
      this.marks,
      this.field.typed && this.problem,
    );
    // A question that is not asked keeps its room; one bound to another shows what will be asked.
    this.element.classList.toggle(
      "question--bound",
      !question.show_if?.all && !question.show_if?.any,
    );
    this.element.addEventListener("focusin", () => hooks.activate(index));
    this.element.addEventListener("pointerdown", () => hooks.activate(index));
  }

  show(form: Form, lit: boolean): void {
    const value = form.answers[this.question.code];
    const asked = isAsked(form, this.index);
    const active = lit && asked && form.active === this.index;
    this.element.disabled = !lit || !asked;
    this.element.classList.toggle("is-active", active);
    this.element.classList.toggle("is-off", !asked);
    this.asked.hidden = asked;
    this.field.show(isNotEvaluable(value) ? undefined : value);
    if (this.notEvaluable) this.notEvaluable.checked = isNotEvaluable(value);
    this.marks?.classList.toggle("is-lit", active);
    if (!active) this.help.hidden = true;
    this.showProblem(misfits(form).find(({ code }) => code === this.question.code));
  }

  toggleHelp(): void {
    this.help.hidden = !this.help.hidden || this.help.childElementCount === 0;
  }

  showMarks(count: number): void {
    if (!this.marks) return;
    setText(this.markCount, count === 0 ? "" : count === 1 ? "1 mark" : `${count} marks`);
  }

  private showProblem(misfit: Misfit | undefined): void {
    const told = misfit && !misfit.missing ? misfit.message : "";
    setText(this.problem, told.charAt(0).toUpperCase() + told.slice(1));
    this.element.classList.toggle("has-problem", told !== "");
  }

  /** The words of help, then the example images with their options. */
  private helpText(): HTMLElement {
    const { help, options } = this.question;
    const examples = options.flatMap((option) => {
      const source = exampleAddress(option);
      if (source === null) return [];
      const image = h("img", { src: source, alt: `Example of ${option.label}`, loading: "lazy" });
      return [h("figure", {}, image, h("figcaption", {}, option.label))];
    });
    return h(
      "div",
      { class: "question__help", hidden: true },
      help !== "" && h("p", {}, help),
      examples.length > 0 && h("div", { class: "question__examples" }, ...examples),
    );
  }

  /** What decided it is often a place: this is how to show it. */
  private markRow(): HTMLElement {
    const row = h(
      "button",
      { type: "button", class: "question__mark" },
      key("M", false),
      h("span", {}, "Mark the spot on the image"),
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

/** All questions of a form; they never move. */
export class QuestionList {
  readonly element: HTMLElement;
  private readonly cards: QuestionCard[];

  constructor(questions: readonly Question[], hooks: QuestionHooks, layout: Layout | null = null) {
    this.cards = questions.map(
      (question, index) =>
        new QuestionCard(question, index, hooks, layout, askedIf(question, questions)),
    );
    this.element = h(
      "form",
      { class: "column__questions", "aria-label": "Questions" },
      ...this.cards.map((card) => card.element),
    );
    this.element.addEventListener("submit", (event) => event.preventDefault());
  }

  show(form: Form, enabled: boolean): void {
    for (const card of this.cards) card.show(form, enabled);
  }

  /** How many spots are marked on the image. */
  showMarks(count: number): void {
    for (const card of this.cards) card.showMarks(count);
  }

  reveal(index: number): void {
    this.cards[index]?.element.scrollIntoView({ block: "nearest" });
  }

  focus(index: number): void {
    this.cards[index]?.field.focus();
  }

  focusBy(index: number, step: number): void {
    this.cards[index]?.field.focusBy?.(step);
  }

  /** Types the first character into a question that is typed into; false for any other. */
  begin(index: number, text: string): boolean {
    const field = this.cards[index]?.field;
    if (!field?.begin) return false;
    field.begin(text);
    return true;
  }

  isTyped(index: number): boolean {
    return this.cards[index]?.field.typed ?? false;
  }

  toggleHelp(index: number): void {
    this.cards[index]?.toggleHelp();
  }

  hasFocus(): boolean {
    return this.element.contains(document.activeElement);
  }
}
