/** A key press as the rules of keys see it. */
import type { KeyPress } from "./keys";

export function pressOf(event: KeyboardEvent): KeyPress {
  return {
    key: event.key,
    code: event.code,
    shift: event.shiftKey,
    modified: event.ctrlKey || event.altKey || event.metaKey,
    repeat: event.repeat,
    focus: focusOf(event.target),
  };
}

export function focusOf(target: EventTarget | null): KeyPress["focus"] {
  if (target instanceof HTMLInputElement) {
    if (["radio", "checkbox", "range"].includes(target.type)) return "option";
    return isInQuestions(target) ? "field" : "text";
  }
  if (target instanceof HTMLTextAreaElement) return isInQuestions(target) ? "area" : "text";
  if (target instanceof HTMLSelectElement) return "text";
  if (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) return "button";
  return "other";
}

function isInQuestions(element: Element): boolean {
  return element.closest(".column__questions") !== null;
}
