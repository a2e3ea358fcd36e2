// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { VoteForm } from "../src/voting/form";
import { voteKey } from "../src/voting/keys";

const question = (code: string, options: readonly string[]) => `
  <fieldset class="question"><legend>${code}</legend>
    <label><input type="radio" name="vote-${code}" value="-" data-not-evaluable></label>
    <div class="question__help" hidden>what is meant</div>
    ${options
      .map(
        (option, at) =>
          `<label><input type="radio" name="vote-${code}" value="${option}" data-digit="${at + 1}"></label>`,
      )
      .join("")}
  </fieldset>`;

let form: VoteForm;
let sent: ReturnType<typeof vi.fn>;

beforeEach(() => {
  Element.prototype.scrollIntoView = () => undefined;
  document.body.innerHTML = `<form class="vote__form">${question("location", ["a", "b"])}
    ${question("margin", ["c", "d"])}<textarea></textarea>
    <button data-save><span>Save and next case</span><kbd>⏎</kbd></button></form>`;
  const element = document.querySelector("form") as HTMLFormElement;
  sent = vi.fn();
  element.requestSubmit = sent as unknown as () => void;
  form = new VoteForm(element);
});

afterEach(() => {
  document.body.replaceChildren();
});

function press(key: string, options: KeyboardEventInit = {}, on: Element = document.body): boolean {
  let done = false;
  const listen = (event: Event) => {
    done = voteKey(event as KeyboardEvent, form);
  };
  document.addEventListener("keydown", listen);
  on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, ...options }));
  document.removeEventListener("keydown", listen);
  return done;
}

const chosen = () =>
  [...document.querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);
const button = () => document.querySelector("button") as HTMLButtonElement;

describe("votes by keyboard", () => {
  it("choose in the active question and go on to the next one", () => {
    expect(press("2")).toBe(true);
    expect(press("n")).toBe(true);
    expect(chosen()).toEqual(["b", "-"]);
    expect(button().textContent).toContain("Save and next case");
  });

  it("say how many are left, and are not sent before", () => {
    expect(button().textContent).toContain("2 questions left before saving");
    press("1");
    press("Enter");
    expect(button().textContent).toContain("1 question left before saving");
    expect(sent).not.toHaveBeenCalled();
    press("1");
    press("Enter");
    expect(sent).toHaveBeenCalledOnce();
  });

  it("are never sent by a key that is held", () => {
    press("1");
    press("1");
    expect(press("Enter", { repeat: true })).toBe(true);
    expect(sent).not.toHaveBeenCalled();
  });

  it("move by Tab, and leave the form at its ends", () => {
    expect(press("Tab")).toBe(true);
    expect(press("1")).toBe(true);
    expect(chosen()).toEqual(["c"]);
    expect(press("Tab", { shiftKey: true })).toBe(false);
  });

  it("are muted while a reason is typed", () => {
    const text = document.querySelector("textarea") as HTMLTextAreaElement;
    expect(press("1", {}, text)).toBe(false);
    expect(press("Enter", {}, text)).toBe(false);
    expect(chosen()).toEqual([]);
  });

  it("leave alone what belongs to the viewer", () => {
    expect(press("ArrowUp")).toBe(false);
    expect(press("w")).toBe(false);
    expect(press("1", { shiftKey: true })).toBe(false);
    expect(press("9")).toBe(false);
  });

  it("show the help of the active question", () => {
    press("h");
    const [first, second] = document.querySelectorAll<HTMLElement>(".question__help");
    expect([first?.hidden, second?.hidden]).toEqual([false, true]);
  });
});
