type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | null>;

function assign(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Makes an element; text is always text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  assign(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

export function icon(name: string): HTMLSpanElement {
  return h("span", { class: `icon icon--${name}`, "aria-hidden": "true" });
}

export function key(text: string, lit = true): HTMLElement {
  return h("kbd", { class: lit ? "key key--lit" : "key" }, text);
}

/** Changes text only when it differs, so that live regions stay quiet. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
