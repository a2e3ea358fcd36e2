/** The list of keys and gestures. */
import { h, key } from "../shared/dom";
import { isOffered, MOUSE_HELP, type Offer, VIEWER_ACTIONS } from "./actions";
import { type KeyMap, keyName } from "./keymap";
import { DRAG_NAMES, type MouseMap } from "./layout";

export type Rows = readonly (readonly [HTMLElement | string, string])[];

export function keysTable(caption: string, rows: Rows): HTMLTableElement {
  return h(
    "table",
    { class: "keys-table" },
    h("caption", {}, caption),
    h(
      "tbody",
      {},
      ...rows.map(([name, does]) =>
        h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, does)),
      ),
    ),
  );
}

/** The keys of the viewer on a page of its own; they are the usual ones. */
export function helpDialog(offer: Offer, keys: KeyMap, mouse: MouseMap): HTMLDialogElement {
  const offered = VIEWER_ACTIONS.filter((row) => isOffered(row, offer));
  const rows: Rows = offered.map(({ action, does }) => [key(keyName(keys.of(action))), does]);
  const cut = Math.ceil(rows.length / 2);
  const close = h("button", { type: "button", class: "button button--primary" }, "Close");
  const dialog = h(
    "dialog",
    { class: "dialog dialog--keys", "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, "Keys and mouse"),
    h(
      "div",
      { class: "keys-columns" },
      h("div", {}, keysTable("Image", rows.slice(0, cut))),
      h("div", {}, keysTable("Panes and display", rows.slice(cut))),
      h(
        "div",
        {},
        keysTable("Mouse and touch", [
          ["Left drag", DRAG_NAMES[mouse.left]],
          ["Middle drag", DRAG_NAMES[mouse.middle]],
          ["Right drag", DRAG_NAMES[mouse.right]],
          ...MOUSE_HELP,
        ]),
        keysTable("Always", [
          [key("⇧ 1"), "to ⇧ 9: window presets of the active pane"],
          [key("Esc"), "leave full pane or placing"],
          [key("?"), "this list"],
        ]),
      ),
    ),
    h("div", { class: "dialog__actions" }, close),
  );
  close.addEventListener("click", () => dialog.close());
  return dialog;
}
