/** A panel's page: the viewer with the case, and votes by keyboard as on the reading page. */
import { h } from "../shared/dom";
import { openViewer, type Shown } from "../viewer/open";
import { VoteForm } from "./form";
import { voteKey } from "./keys";

const form = document.querySelector<HTMLFormElement>("form.vote__form");
if (form) {
  const votes = new VoteForm(form);
  document.addEventListener(
    "keydown",
    (event) => {
      if (!voteKey(event, votes)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );
}

const element = document.getElementById("viewer");
const data = document.getElementById("viewer-data")?.textContent;
if (element && data) {
  openViewer(element, JSON.parse(data) as Shown).catch((error: unknown) => {
    console.error(error);
    const text = error instanceof Error ? error.message : String(error);
    element.replaceChildren(
      h("p", { class: "notice notice--stop" }, `The images could not be shown: ${text}`),
    );
  });
}
