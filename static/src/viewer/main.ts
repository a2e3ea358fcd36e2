/** Opens the viewer in `#viewer` with the case described in `#viewer-data`. */
import { h } from "../shared/dom";
import { openViewer, type Shown } from "./open";

const element = document.getElementById("viewer");
const data = document.getElementById("viewer-data")?.textContent;
if (element && data) {
  openViewer(element, JSON.parse(data) as Shown).catch((error: unknown) => {
    console.error(error);
    const text = error instanceof Error ? error.message : String(error);
    element.replaceChildren(
      h("p", { class: "notice notice--stop" }, `The viewer could not start: ${text}`),
    );
  });
}
