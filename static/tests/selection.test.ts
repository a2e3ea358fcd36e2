// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { closeMenus } from "../src/staff/menus";
import { Chosen, chooseCases, countText } from "../src/staff/selection";

const KEYS = ["a", "b", "c", "d"];

function list(): HTMLFormElement {
  const rows = KEYS.map(
    (key) => `<tr data-case><td><input type="checkbox" name="case" value="${key}"></td>
      <th><a href="#${key}" data-case-link>${key}</a></th></tr>`,
  ).join("");
  document.body.innerHTML = `<form data-selection>
    <strong data-selection-count></strong>
    <button name="action" value="tag">Tag</button>
    <input type="checkbox" name="all" data-selection-all="148">
    <button type="button" data-selection-clear hidden>Clear</button>
    <table><thead><tr><th><input type="checkbox" data-selection-page hidden></th></tr></thead>
    <tbody>${rows}</tbody></table></form>`;
  chooseCases(document, sessionStorage);
  return document.querySelector("form") as HTMLFormElement;
}

const ticks = () => [...document.querySelectorAll<HTMLInputElement>('input[name="case"]')];
const chosen = () =>
  ticks()
    .filter((tick) => tick.checked)
    .map((tick) => tick.value);
const said = () => document.querySelector("[data-selection-count]")?.textContent;
const action = () => document.querySelector<HTMLButtonElement>('[name="action"]');

function click(index: number, shiftKey = false): void {
  ticks()[index]?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey }));
}

function press(index: number, key: string, shiftKey = false): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
  ticks()[index]?.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  sessionStorage.clear();
});

describe("what the bar says", () => {
  it.each([
    [0, 0, "None selected"],
    [2, 0, "2 selected"],
    [2, 3, "5 selected, 3 on other pages"],
    [0, 1, "1 selected, 1 on other pages"],
  ])("%i here and %i elsewhere", (here, elsewhere, text) => {
    expect(countText(here, elsewhere)).toBe(text);
  });
});

describe("choosing", () => {
  it("counts ticks and lights the actions", () => {
    list();
    expect([said(), action()?.disabled]).toEqual(["None selected", true]);
    click(1);
    expect([said(), action()?.disabled]).toEqual(["1 selected", false]);
    expect(ticks()[1]?.closest("tr")?.classList.contains("is-chosen")).toBe(true);
  });

  it("takes a range with Shift, in both directions", () => {
    list();
    click(2);
    click(0, true);
    expect(chosen()).toEqual(["a", "b", "c"]);
    click(2, true);
    expect(chosen()).toEqual([]);
  });

  it("takes the whole page, and shows when it is only a part", () => {
    list();
    const page = document.querySelector<HTMLInputElement>("[data-selection-page]");
    expect(page?.hidden).toBe(false);
    page?.click();
    expect(chosen()).toEqual(KEYS);
    click(0);
    expect([page?.checked, page?.indeterminate]).toEqual([false, true]);
  });

  it("takes all that match", () => {
    list();
    document.querySelector<HTMLInputElement>("[data-selection-all]")?.click();
    expect([said(), action()?.disabled]).toEqual(["148 selected", false]);
  });

  it("is remembered on the next page and sent with it", () => {
    new Chosen(sessionStorage).set("elsewhere", true);
    const form = list();
    click(0);
    expect(said()).toBe("2 selected, 1 on other pages");
    const formData = new FormData();
    form.dispatchEvent(Object.assign(new Event("formdata"), { formData }));
    expect(formData.get("cases")).toBe("elsewhere");
    list();
    expect(chosen()).toEqual(["a"]);
  });

  it("is forgotten when it is cleared or an action was done", () => {
    list();
    click(0);
    document.querySelector<HTMLButtonElement>("[data-selection-clear]")?.click();
    expect([chosen(), said()]).toEqual([[], "None selected"]);
    click(0);
    document.body.innerHTML = "<div data-selection-done></div>";
    chooseCases(document, sessionStorage);
    expect(sessionStorage.length).toBe(0);
  });
});

describe("keys", () => {
  it("move between the ticks, and with Shift choose on the way", () => {
    list();
    ticks()[0]?.focus();
    expect(press(0, "ArrowDown").defaultPrevented).toBe(true);
    expect(document.activeElement).toBe(ticks()[1]);
    press(1, "ArrowDown", true);
    expect(chosen()).toEqual(["b", "c"]);
    expect(document.activeElement).toBe(ticks()[2]);
    press(3, "ArrowDown");
    expect(chosen()).toEqual(["b", "c"]);
  });

  it("open the case with Enter in place of sending the form, and clear with Escape", () => {
    const form = list();
    const sent = vi.fn((event: Event) => event.preventDefault());
    form.addEventListener("submit", sent);
    const opened = vi.fn();
    document.querySelector('[href="#b"]')?.addEventListener("click", opened);
    click(1);
    expect(press(1, "Enter").defaultPrevented).toBe(true);
    expect(opened).toHaveBeenCalledTimes(1);
    expect(sent).not.toHaveBeenCalled();
    press(1, "Escape");
    expect(chosen()).toEqual([]);
    expect(press(1, "Tab").defaultPrevented).toBe(false);
  });
});

describe("menus", () => {
  it("close on Escape with the focus back, and on a press outside", () => {
    document.body.innerHTML =
      '<details class="menu" open><summary tabindex="0">Tag</summary><a href="#">x</a></details>';
    closeMenus(document);
    const menu = document.querySelector("details") as HTMLDetailsElement;
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    expect(menu.open).toBe(false);
    expect(document.activeElement?.tagName).toBe("SUMMARY");
    menu.open = true;
    menu.querySelector("a")?.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    expect(menu.open).toBe(true);
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    expect(menu.open).toBe(false);
  });
});
