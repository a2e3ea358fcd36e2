// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announceDisplay, cookieValue, nameOf, readCookie } from "../src/display-check/device";
import { sharpSide, toPixel, zoomOf } from "../src/display-check/measure";
import { fillForm, followKeys } from "../src/display-check/page";

const NAME = "0123456789abcdef0123456789abcdef";
const SCREEN = { width: 2560, height: 1440, colorDepth: 24 };

// The test environment of Node has a store of its own name; this one holds what a page holds.
function store(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage;
}

beforeEach(() => {
  vi.stubGlobal("localStorage", store());
  vi.stubGlobal("screen", SCREEN);
});

afterEach(() => {
  document.body.replaceChildren();
  document.cookie = "readerstudy_display=; Max-Age=0; Path=/";
  vi.unstubAllGlobals();
});

describe("the name of a display", () => {
  it("is made once and kept", () => {
    const kept = store();
    const name = nameOf(kept, null);
    expect(name).toMatch(/^[0-9a-f]{32}$/);
    expect(nameOf(kept, null)).toBe(name);
  });

  it("comes back from the cookie where the store was cleared", () => {
    expect(nameOf(store(), `${NAME}_1440_900_1_24`)).toBe(NAME);
    expect(nameOf(store(), "nonsense_1_2")).not.toContain("nonsense");
  });

  it("goes to the server with the size of the screen", () => {
    expect(cookieValue(NAME, SCREEN, 1.25)).toBe(`${NAME}_2560_1440_1.25_24`);
    expect(cookieValue(NAME, SCREEN, 1.100000023841858)).toBe(`${NAME}_2560_1440_1.1_24`);
  });

  it("is news to the server only when something changed", () => {
    expect(announceDisplay()).toBe(true);
    expect(announceDisplay()).toBe(false);
    expect(readCookie(document.cookie)).toMatch(/^[0-9a-f]{32}_2560_1440_1_24$/);
    vi.stubGlobal("screen", { ...SCREEN, width: 1920 });
    expect(announceDisplay()).toBe(true);
  });
});

describe("measures", () => {
  it("tell the zoom, frames of the window aside", () => {
    expect(zoomOf(1440, 1440)).toBe(1);
    expect(zoomOf(1440, 1425)).toBe(1);
    expect(zoomOf(1440, 1152)).toBe(1.25);
    expect(zoomOf(1440, 1600)).toBe(0.9);
    expect(zoomOf(0, 1440)).toBeNull();
  });

  it("give every pixel of a picture whole pixels of the screen", () => {
    for (const ratio of [0.9, 1, 1.25, 1.5, 1.75, 2, 3]) {
      const onScreen = (sharpSide(320, ratio) * ratio) / 320;
      expect(onScreen).toBeCloseTo(Math.max(1, Math.floor(ratio)), 9);
    }
    expect(((100.3 + toPixel(100.3, 1.25)) * 1.25) % 1).toBeCloseTo(0, 9);
  });
});

function press(key: string, target: EventTarget = document.body): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}

describe("the page", () => {
  it("fills in the window and takes digits for the light", () => {
    document.body.innerHTML =
      '<form><input name="width"><input name="height"><input name="zoom">' +
      '<input type="radio" name="light" value="dim"><input type="radio" name="light" value="normal">' +
      "</form>";
    const form = document.querySelector("form") as HTMLFormElement;
    fillForm(form);
    press("2");
    const data = new FormData(form);
    expect(data.get("width")).toBe(String(window.innerWidth));
    expect(data.get("light")).toBe("normal");
  });

  it("takes a character from anywhere, the last one typed, and Space for nothing", () => {
    document.body.innerHTML =
      '<form><input name="answer"><button>Next</button><button name="nothing" value="1">None</button></form>';
    const form = document.querySelector("form") as HTMLFormElement;
    const sent: (string | null)[] = [];
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sent.push((event.submitter as HTMLButtonElement | null)?.name ?? null);
    });
    followKeys(form);
    press("k");
    press("7");
    press("x");
    expect((form.elements.namedItem("answer") as HTMLInputElement).value).toBe("X");
    expect(press(" ").defaultPrevented).toBe(true);
    expect(sent).toEqual(["nothing"]);
  });
});
