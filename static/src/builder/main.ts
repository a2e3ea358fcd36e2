import { h, icon } from "../shared/dom";
import { typedQuestion } from "./draft";
import { editLevels } from "./levels";
import { Preview, type Shown } from "./preview";
import { Saver, type Saved } from "./saver";
import { showParts } from "./parts";

function required(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return found;
}

const place = required("#builder-preview");
const openCode = place.dataset.open ?? "";
let shown = JSON.parse(place.dataset.preview ?? "") as Shown;
const preview = new Preview(place, () => undefined);
preview.show(shown, openCode);
moveByKeys(document.querySelector<HTMLElement>("[data-reorder]"));

const form = document.querySelector<HTMLFormElement>("#question-form");
if (form && !form.inert) edit(form);
else if (form) showParts(form);

function edit(editor: HTMLFormElement): void {
  const saver = new Saver(editor, { saved, refused, state });
  const changed = () => {
    showTyped(editor);
    saver.changed();
  };
  showParts(editor);
  editor.addEventListener("input", (event) => {
    const { name } = event.target as HTMLInputElement;
    showParts(editor);
    if (name === "kind" || name === "code") return showTyped(editor);
    changed();
  });
  // The address of the page and the fields of the form depend on these two.
  editor.addEventListener("change", (event) => {
    if (["kind", "code"].includes((event.target as HTMLInputElement).name)) editor.requestSubmit();
  });
  editor.addEventListener("submit", () => saver.forget());
  const levels = editor.querySelector<HTMLElement>("[data-levels]");
  if (levels) editLevels(levels, changed);
  window.addEventListener("pagehide", () => saver.leave());
}

function showTyped(editor: HTMLFormElement): void {
  const at = shown.questions.findIndex(({ code }) => code === openCode);
  const questions = shown.questions.map((question, index) =>
    index === at ? typedQuestion(editor, question) : question,
  );
  preview.show({ ...shown, questions }, questions[at]?.code ?? "");
}

function state(text: string): void {
  required("[data-saved]").textContent = text;
}

function saved(answer: Saved): void {
  required("[data-refused]").hidden = true;
  shown = JSON.parse(answer.preview) as Shown;
  for (const { code, kind } of answer.rows) {
    const line = document.querySelector(`[data-kind-of="${CSS.escape(code)}"]`);
    if (line) line.textContent = kind;
  }
  required("[data-seconds]").textContent = String(answer.seconds);
  required("[data-misfits]").replaceChildren(...answer.misfits.map(misfit));
}

function misfit(text: string): HTMLElement {
  return h("div", { class: "notice notice--wait" }, icon("look"), h("div", {}, h("p", {}, text)));
}

function refused(errors: readonly string[]): void {
  required("[data-refused-text]").textContent = errors.join(" ");
  required("[data-refused]").hidden = false;
}

/** Alt with an arrow moves the question whose row has the focus. */
function moveByKeys(list: HTMLElement | null): void {
  list?.addEventListener("keydown", (event) => {
    const value = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!event.altKey || !value) return;
    const row = (event.target as Element).closest("li");
    const button = row?.querySelector<HTMLButtonElement>(`button[value="${value}"]`);
    if (!button || button.disabled) return;
    event.preventDefault();
    button.click();
  });
}
