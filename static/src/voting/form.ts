/** The votes on one case: which question is active, what is chosen, what is still missing. */
import { setText } from "../shared/dom";

const NEEDED = /^\d$/;

export class VoteForm {
  private readonly cards: readonly HTMLFieldSetElement[];
  private readonly button: HTMLButtonElement | null;
  private readonly label: HTMLElement | null;
  private readonly ready: string;
  private active = 0;

  constructor(readonly element: HTMLFormElement) {
    this.cards = [...element.querySelectorAll<HTMLFieldSetElement>("fieldset.question")];
    this.button = element.querySelector<HTMLButtonElement>("[data-save]");
    this.label = this.button?.querySelector<HTMLElement>("span") ?? null;
    this.ready = this.label?.textContent ?? "";
    this.cards.forEach((card, index) => {
      card.addEventListener("focusin", () => this.activate(index));
      card.addEventListener("pointerdown", () => this.activate(index));
      card.addEventListener("change", () => this.changed(index));
    });
    element.addEventListener("submit", (event) => this.submitting(event));
    this.show();
  }

  /** Chooses by the digit on its key cap in the active question. */
  digit(digit: string): boolean {
    return NEEDED.test(digit) && this.choose(`[data-digit="${digit}"]`);
  }

  notEvaluable(): boolean {
    return this.choose("[data-not-evaluable]");
  }

  /** Goes to another question; false beyond the first and the last, where focus goes on as usual. */
  move(by: 1 | -1): boolean {
    const next = this.active + by;
    if (next < 0 || next >= this.cards.length) return false;
    this.activate(next);
    const card = this.cards[next];
    const input =
      card?.querySelector<HTMLInputElement>("input:checked") ?? card?.querySelector("input");
    input?.focus();
    card?.scrollIntoView({ block: "nearest" });
    return true;
  }

  /** Another option of the active question takes the focus, without being chosen. */
  option(by: 1 | -1): boolean {
    const inputs = this.inputs(this.active);
    const at = inputs.indexOf(document.activeElement as HTMLInputElement);
    inputs[(at + by + inputs.length) % inputs.length]?.focus();
    return inputs.length > 0;
  }

  help(): boolean {
    const text = this.cards[this.active]?.querySelector<HTMLElement>(".question__help");
    if (!text) return false;
    text.hidden = !text.hidden;
    return true;
  }

  /** Sends complete votes; incomplete ones stay. */
  save(): boolean {
    if (this.button === null) return false;
    if (this.left === 0 && !this.button.disabled) this.element.requestSubmit();
    return true;
  }

  get left(): number {
    return this.cards.filter((_, index) => !this.isAnswered(index)).length;
  }

  private inputs(index: number): HTMLInputElement[] {
    return [...(this.cards[index]?.querySelectorAll<HTMLInputElement>("input") ?? [])];
  }

  private isAnswered(index: number): boolean {
    const inputs = this.inputs(index);
    return inputs.length === 0 || inputs.some((input) => input.checked);
  }

  private choose(selector: string): boolean {
    const input = this.cards[this.active]?.querySelector<HTMLInputElement>(selector);
    if (!input) return false;
    input.checked = true;
    this.changed(this.active);
    return true;
  }

  /** After a choice the next question without an answer becomes active. */
  private changed(index: number): void {
    const open = this.cards.findIndex((_, at) => at > index && !this.isAnswered(at));
    const first = this.cards.findIndex((_, at) => !this.isAnswered(at));
    const next = open >= 0 ? open : first;
    if (next >= 0) {
      this.activate(next);
      this.cards[next]?.scrollIntoView({ block: "nearest" });
    } else this.show();
  }

  private activate(index: number): void {
    if (this.button === null) return;
    this.active = index;
    this.show();
  }

  private show(): void {
    const lit = this.button !== null;
    this.cards.forEach((card, index) => {
      card.classList.toggle("is-active", lit && index === this.active);
    });
    if (!this.button || !this.label) return;
    const left = this.left;
    const waits = `${left} question${left === 1 ? "" : "s"} left before saving`;
    setText(this.label, left === 0 ? this.ready : waits);
    this.button.disabled = left > 0;
    const cap = this.button.querySelector<HTMLElement>("kbd");
    if (cap) cap.hidden = left > 0;
    this.button.classList.toggle("button--primary", left === 0);
  }

  /** A vote is sent once. */
  private submitting(event: Event): void {
    if (this.left > 0) event.preventDefault();
    else if (this.button) this.button.disabled = true;
  }
}
