const OFFSET = 12;

/** The values of a point, in a box beside it. */
export class Tip {
  private readonly box = document.createElement("dl");

  constructor(private readonly frame: HTMLElement) {
    this.box.className = "figure-tip";
    this.box.hidden = true;
    frame.append(this.box);
  }

  show(event: MouseEvent, value: unknown): void {
    const rows = rowsOf(value);
    this.box.hidden = rows.length === 0;
    this.box.replaceChildren(
      ...rows.flatMap(([name, text]) => [term("dt", name), term("dd", text)]),
    );
    const place = this.frame.getBoundingClientRect();
    const left = event.clientX - place.left + OFFSET;
    const room = place.width - this.box.offsetWidth;
    this.box.style.left = `${Math.max(0, Math.min(left, room))}px`;
    this.box.style.top = `${event.clientY - place.top + OFFSET}px`;
  }
}

export function rowsOf(value: unknown): [string, string][] {
  if (typeof value === "string" || typeof value === "number") {
    return value === "" ? [] : [["", `${value}`]];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([name, text]) => [name, String(text)]);
}

function term(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
