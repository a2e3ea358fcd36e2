/** The keys of a panel's page: those of the reading page, as far as there is something to do. */
import { focusOf } from "../reading/press";
import type { VoteForm } from "./form";

/** Carries out a key press on the votes; true when it was one of theirs. */
export function voteKey(event: KeyboardEvent, form: VoteForm): boolean {
  const target = event.target instanceof Element ? event.target : null;
  const focus = focusOf(event.target);
  if (isElsewhere(event, target)) return false;
  if (focus === "text") return leaveText(event, target);
  if (event.key === "Enter") return event.repeat || (focus !== "button" && form.save());
  if (event.repeat) return false;
  if (event.key === "Tab") return form.move(event.shiftKey ? -1 : 1);
  return !event.shiftKey && chosen(event.key.toLowerCase(), focus, form);
}

/** A key of the browser, or one in a dialog. */
function isElsewhere({ ctrlKey, altKey, metaKey }: KeyboardEvent, target: Element | null): boolean {
  return ctrlKey || altKey || metaKey || (target?.closest("dialog") ?? null) !== null;
}

function leaveText(event: KeyboardEvent, target: Element | null): boolean {
  if (event.key !== "Escape" || !(target instanceof HTMLElement)) return false;
  target.blur();
  return true;
}

function chosen(key: string, focus: string, form: VoteForm): boolean {
  if (key === "n") return form.notEvaluable();
  if (key === "h") return form.help();
  const sideways = key === "arrowleft" || key === "arrowright";
  if (sideways && focus !== "button") return form.option(key === "arrowleft" ? -1 : 1);
  return form.digit(key);
}
