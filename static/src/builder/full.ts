/** The preview as large as the reading page: panes without images, the true question column. */
import { h } from "../shared/dom";
import { Preview, type Shown } from "./preview";

interface FullPage extends Shown {
  readonly hanging: string;
  readonly title: string;
}

const SHAPES: Readonly<Record<string, readonly [columns: number, rows: number]>> = {
  "1x1": [1, 1],
  "1x2": [2, 1],
  "2x2": [2, 2],
  "2x3": [3, 2],
  planes: [3, 1],
};

/** One pane for each series that opens, labelled as on the reading page. */
export function emptyPanes({ slots, hanging }: Pick<FullPage, "slots" | "hanging">): HTMLElement {
  const [columns, rows] = SHAPES[hanging] ?? [1, 1];
  const labels = Array.from({ length: columns * rows }, (_, at) => slots[at]?.label ?? "");
  return h(
    "div",
    { class: "panes", "data-columns": columns, "data-rows": rows, "data-count": labels.length },
    ...labels.map((label) =>
      h("div", { class: "pane" }, h("span", { class: "full-preview__label" }, label)),
    ),
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")
  );
}

export function showFull(root: HTMLElement): void {
  const shown = JSON.parse(root.dataset.preview ?? "") as FullPage;
  const column = h("aside", { class: "column", "aria-label": "Answers" });
  const preview = new Preview(column, () => undefined);
  preview.show(shown, shown.questions[0]?.code ?? "");
  const many = shown.questions.length > 3 ? " reading--many" : "";
  root.replaceChildren(
    h(
      "div",
      { class: `reading full-preview${many}` },
      h("div", { class: "topbar" }, shown.title),
      emptyPanes(shown),
      column,
    ),
  );
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (preview.press(event.key, event.shiftKey)) event.preventDefault();
  });
}

const root = document.getElementById("full-preview");
if (root) showFull(root);
