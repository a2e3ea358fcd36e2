/** The rows of levels: added, moved and removed without a new page. */

const ROW = "[data-level]";

export function editLevels(box: HTMLElement, changed: () => void): void {
  box.addEventListener("click", (event) => {
    const button = (event.target as Element).closest("button");
    if (!button) return;
    const row = button.closest<HTMLElement>(ROW);
    if (button.hasAttribute("data-add-level")) addLevel(box);
    else if (row) moveLevel(row, button);
    changed();
  });
}

export function addLevel(box: HTMLElement): void {
  const rows = [...box.querySelectorAll<HTMLElement>(ROW)];
  const last = rows.at(-1);
  if (!last) return;
  const row = last.cloneNode(true) as HTMLElement;
  for (const input of row.querySelectorAll("input")) input.value = "";
  last.after(row);
  row.querySelector("input")?.focus();
}

function moveLevel(row: HTMLElement, button: HTMLButtonElement): void {
  const before = row.previousElementSibling;
  const after = row.nextElementSibling;
  if (button.hasAttribute("data-level-up") && before?.matches(ROW)) before.before(row);
  if (button.hasAttribute("data-level-down") && after?.matches(ROW)) after.after(row);
  if (button.hasAttribute("data-level-remove")) return removeLevel(row);
  button.focus();
}

/** The last row stays, emptied, so that there is always one to fill in. */
function removeLevel(row: HTMLElement): void {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  if (row.parentElement && row.parentElement.querySelectorAll(ROW).length > 1) row.remove();
  else for (const input of row.querySelectorAll("input")) input.value = "";
  next?.querySelector("input")?.focus();
}
