const SHOWN_MS = 2000;

function textOf(button: HTMLElement): string {
  const from = button.dataset.copyFrom;
  const source = from ? document.querySelector(from) : null;
  if (source instanceof HTMLInputElement || source instanceof HTMLTextAreaElement) {
    return source.value;
  }
  return source?.textContent.trim() ?? button.dataset.copy ?? "";
}

/** Buttons with data-copy or data-copy-from put their text on the clipboard. */
export function copyButtons(root: ParentNode & EventTarget): void {
  root.addEventListener("click", (event) => {
    const target = event.target as Element;
    const button = target.closest<HTMLElement>("[data-copy], [data-copy-from]");
    if (button) void copy(button);
  });
}

async function copy(button: HTMLElement): Promise<void> {
  const label = button.dataset.copyLabel ?? button.textContent;
  button.dataset.copyLabel = label;
  const copied = await navigator.clipboard.writeText(textOf(button)).then(
    () => true,
    () => false,
  );
  button.textContent = copied ? "Copied" : "Copying is not allowed here";
  setTimeout(() => {
    button.textContent = label;
  }, SHOWN_MS);
}
