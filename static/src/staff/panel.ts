/** Shows a chosen case in the panel beside the list without loading the whole page again. */
import { localTimes } from "./times";

const PANEL = "#case-panel";

export function followCases(root: Document): void {
  if (!root.querySelector(PANEL)) return;
  root.addEventListener("click", (event) => {
    const link = linkAt(event);
    if (!link) return;
    event.preventDefault();
    void open(root, link);
  });
  window.addEventListener("popstate", () => window.location.reload());
}

/** A press on a row opens its case, unless it meant something in the row or another window. */
function linkAt(event: MouseEvent): HTMLAnchorElement | null {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return null;
  const target = event.target as Element;
  const link = target.closest<HTMLAnchorElement>("[data-case-link]");
  if (link) return link;
  if (target.closest("a, button, input, label, summary")) return null;
  return target.closest("tr[data-case]")?.querySelector("[data-case-link]") ?? null;
}

async function open(root: Document, link: HTMLAnchorElement): Promise<void> {
  const panel = root.querySelector(PANEL);
  panel?.setAttribute("aria-busy", "true");
  const response = await fetch(link.href, { cache: "no-store" }).catch(() => null);
  const page = response?.ok
    ? new DOMParser().parseFromString(await response.text(), "text/html")
    : null;
  const fresh = page?.querySelector(PANEL);
  if (!panel || !fresh) {
    window.location.href = link.href; // signed out or without a connection: the page says so
    return;
  }
  panel.replaceWith(fresh);
  localTimes(fresh);
  mark(root, link);
  window.history.pushState(null, "", link.href);
}

function mark(root: Document, link: HTMLAnchorElement): void {
  for (const other of root.querySelectorAll("[data-case-link]")) {
    const current = other === link;
    other.closest("tr")?.classList.toggle("is-selected", current);
    if (current) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  }
}
