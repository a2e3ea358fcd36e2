import { sharpSide, toPixel, zoomOf } from "./measure";

function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}

/** Fills in what only the browser knows, and lets the digits choose the light. */
export function fillForm(form: HTMLFormElement): void {
  const measure = () => {
    const zoom = zoomOf(window.outerWidth, window.innerWidth);
    field(form, "width").value = String(window.innerWidth);
    field(form, "height").value = String(window.innerHeight);
    field(form, "zoom").value = zoom === null ? "" : String(zoom);
  };
  measure();
  window.addEventListener("resize", measure);
  const lights = [...form.querySelectorAll<HTMLInputElement>('input[name="light"]')];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const chosen = lights[Number(event.key) - 1];
    if (!chosen) return;
    chosen.checked = true;
    chosen.focus();
  });
}

/**
 * Shows each pixel of the picture as whole pixels of the screen, also at 125 % or 150 %: the right
 * size, and beginning where a pixel of the screen begins.
 */
export function showSharp(picture: HTMLImageElement): void {
  const fit = () => {
    const ratio = window.devicePixelRatio;
    const side = `${sharpSide(Number(picture.getAttribute("width")), ratio)}px`;
    Object.assign(picture.style, { width: side, height: side, left: "0", top: "0" });
    const place = picture.getBoundingClientRect();
    picture.style.left = `${toPixel(place.left, ratio)}px`;
    picture.style.top = `${toPixel(place.top, ratio)}px`;
  };
  fit();
  window.addEventListener("resize", fit);
}

/** The whole page listens: a character is typed, Enter goes on, Space says that there is none. */
export function followKeys(form: HTMLFormElement): void {
  const input = field(form, "answer");
  const nothing = form.querySelector<HTMLButtonElement>('button[name="nothing"]');
  input.addEventListener("input", () => {
    input.value = input.value.toUpperCase().trim();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const onButton = event.target instanceof HTMLButtonElement;
    if (event.key === " " && !onButton) {
      event.preventDefault();
      if (!event.repeat) nothing?.click();
    } else if (/^[a-z0-9]$/i.test(event.key)) {
      event.preventDefault();
      input.value = event.key.toUpperCase();
      input.focus();
    } else if (event.key === "Enter" && event.repeat) {
      event.preventDefault();
    }
  });
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  window.addEventListener("pageshow", () => {
    sent = false;
  });
}
