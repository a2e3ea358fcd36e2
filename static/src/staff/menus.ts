/** Closes open menus (details.menu) on Escape and on a press outside; without script they toggle. */
export function closeMenus(root: Document): void {
  root.addEventListener("pointerdown", (event) => {
    for (const menu of openMenus(root)) {
      if (!menu.contains(event.target as Node)) menu.open = false;
    }
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus(root)) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
}

function openMenus(root: Document): HTMLDetailsElement[] {
  return [...root.querySelectorAll<HTMLDetailsElement>("details.menu[open]")];
}
