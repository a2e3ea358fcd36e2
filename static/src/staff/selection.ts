/** Choosing cases in a list: ticks kept across pages, ranges, keys, and what the bar says. */
import { setText } from "../shared/dom";

const REMEMBERED = "readerstudy-chosen-cases";

/** The identifiers chosen on all pages of the list, kept for this tab. */
export class Chosen {
  private readonly keys: Set<string>;

  constructor(private readonly storage: Storage) {
    this.keys = new Set((storage.getItem(REMEMBERED) ?? "").split(",").filter((key) => key !== ""));
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }

  get size(): number {
    return this.keys.size;
  }

  /** Those that have no tick on this page and must be sent beside it. */
  except(shown: ReadonlySet<string>): string[] {
    return [...this.keys].filter((key) => !shown.has(key));
  }

  set(key: string, chosen: boolean): void {
    if (chosen) this.keys.add(key);
    else this.keys.delete(key);
    this.keep();
  }

  clear(): void {
    this.keys.clear();
    this.keep();
  }

  private keep(): void {
    if (this.keys.size === 0) this.storage.removeItem(REMEMBERED);
    else this.storage.setItem(REMEMBERED, [...this.keys].join(","));
  }
}

/** What the bar says of the choice. */
export function countText(here: number, elsewhere: number): string {
  const all = here + elsewhere;
  if (all === 0) return "None selected";
  return elsewhere === 0 ? `${all} selected` : `${all} selected, ${elsewhere} on other pages`;
}

/** Makes a form with data-selection a list to choose from. Without script its ticks still work. */
export class Selection {
  private readonly ticks: HTMLInputElement[];
  private readonly all: HTMLInputElement | null;
  private readonly page: HTMLInputElement | null;
  private anchor: HTMLInputElement | null = null;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly chosen: Chosen,
  ) {
    this.ticks = [...form.querySelectorAll<HTMLInputElement>('input[name="case"]')];
    this.all = form.querySelector("[data-selection-all]");
    this.page = form.querySelector("[data-selection-page]");
    if (this.page) this.page.hidden = false;
    for (const tick of this.ticks) tick.checked = tick.checked || chosen.has(tick.value);
    this.listen();
    this.show();
  }

  private listen(): void {
    const { form } = this;
    form.addEventListener("click", (event) => this.clicked(event));
    form.addEventListener("change", (event) => this.changed(event.target));
    form.addEventListener("keydown", (event) => this.pressed(event));
    // One field for all of them: a form may have a thousand fields, and a choice more cases.
    form.addEventListener("formdata", (event) => {
      if (this.others.length > 0) event.formData.append("cases", this.others.join(","));
    });
    form.querySelector("[data-selection-clear]")?.addEventListener("click", () => this.clear());
  }

  private get others(): string[] {
    return this.chosen.except(new Set(this.ticks.map((tick) => tick.value)));
  }

  private clicked(event: MouseEvent): void {
    const tick = event.target;
    if (!(tick instanceof HTMLInputElement) || tick.name !== "case") return;
    if (event.shiftKey && this.anchor) this.range(this.anchor, tick, tick.checked);
    this.anchor = tick;
  }

  private range(from: HTMLInputElement, to: HTMLInputElement, checked: boolean): void {
    const ends = [this.ticks.indexOf(from), this.ticks.indexOf(to)].sort((a, b) => a - b);
    const [first = 0, last = 0] = ends;
    for (const tick of this.ticks.slice(first, last + 1)) this.tick(tick, checked);
    this.show();
  }

  private tick(tick: HTMLInputElement, checked: boolean): void {
    tick.checked = checked;
    this.chosen.set(tick.value, checked);
  }

  private changed(target: EventTarget | null): void {
    if (target === this.page && this.page) {
      for (const tick of this.ticks) this.tick(tick, this.page.checked);
    } else if (target instanceof HTMLInputElement && target.name === "case") {
      this.tick(target, target.checked);
    }
    this.show();
  }

  /** Arrows move between the ticks, with Shift they choose; Enter opens the case; Escape clears. */
  private pressed(event: KeyboardEvent): void {
    const tick = event.target;
    if (!(tick instanceof HTMLInputElement) || tick.name !== "case") return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) this.move(tick, step, event.shiftKey);
    else if (event.key === "Enter") linkOf(tick)?.click();
    else if (event.key === "Escape") this.clear();
    else return;
    event.preventDefault();
  }

  private move(from: HTMLInputElement, step: number, choose: boolean): void {
    const to = this.ticks[this.ticks.indexOf(from) + step];
    if (!to) return;
    if (choose) this.range(from, to, true);
    this.anchor = to;
    to.focus();
  }

  private clear(): void {
    this.chosen.clear();
    for (const tick of this.ticks) tick.checked = false;
    if (this.all) this.all.checked = false;
    this.show();
  }

  private show(): void {
    const every = this.all?.checked === true;
    const here = this.ticks.filter((tick) => tick.checked).length;
    const elsewhere = this.others.length;
    const none = !every && here + elsewhere === 0;
    const total = this.all?.dataset.selectionAll ?? "";
    this.say(every ? `${total} selected` : countText(here, elsewhere), none);
    this.showPage(here);
    for (const tick of this.ticks) {
      tick.closest("tr")?.classList.toggle("is-chosen", tick.checked || every);
    }
  }

  private say(text: string, none: boolean): void {
    const count = this.form.querySelector("[data-selection-count]");
    if (count) setText(count, text);
    for (const button of this.form.querySelectorAll<HTMLButtonElement>('button[name="action"]')) {
      button.disabled = none;
    }
    const clear = this.form.querySelector<HTMLElement>("[data-selection-clear]");
    if (clear) clear.hidden = none;
  }

  private showPage(here: number): void {
    if (!this.page) return;
    this.page.checked = here > 0 && here === this.ticks.length;
    this.page.indeterminate = here > 0 && here < this.ticks.length;
  }
}

function linkOf(tick: HTMLInputElement): HTMLAnchorElement | null {
  return tick.closest("tr")?.querySelector<HTMLAnchorElement>("[data-case-link]") ?? null;
}

/** Starts the lists of a page; a page that tells of a finished action forgets the choice. */
export function chooseCases(root: ParentNode, storage: Storage): void {
  const chosen = new Chosen(storage);
  if (root.querySelector("[data-selection-done]")) chosen.clear();
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-selection]")) {
    new Selection(form, chosen);
  }
}
