// @vitest-environment jsdom
import { afterEach, describe, expect, it, vi } from "vitest";
import { confirmForms } from "../src/staff/confirm";
import { showStatus, watchJobs } from "../src/staff/jobs";
import { localTimes } from "../src/staff/times";
import { settled } from "./fixtures";

afterEach(() => {
  document.body.replaceChildren();
});

describe("times", () => {
  it("become local, with UTC in the title", () => {
    document.body.innerHTML = '<time datetime="2026-11-20T10:58:00Z">x</time>';
    localTimes(document);
    const time = document.querySelector("time");
    expect(time?.title).toBe("Fri 20 Nov 2026, 10:58 UTC");
    expect(time?.textContent).toMatch(/20 Nov 2026|21 Nov 2026/);
  });

  it("stay as written without a time of day", () => {
    document.body.innerHTML = '<time datetime="2026-11-20">20 Nov</time>';
    localTimes(document);
    expect(document.querySelector("time")?.textContent).toBe("20 Nov");
  });
});

describe("jobs", () => {
  const job =
    '<div data-job-url="/jobs/1/"><p class="job__message"></p><progress></progress></div>';

  it("show step, number of steps and message", () => {
    document.body.innerHTML = job;
    const element = document.querySelector<HTMLElement>("[data-job-url]") as HTMLElement;
    showStatus(element, { state: "running", step: 3, of: 8, message: "Case 3", finished: false });
    const bar = element.querySelector("progress") as HTMLProgressElement;
    expect([bar.value, bar.max]).toEqual([3, 8]);
    expect(element.querySelector(".job__message")?.textContent).toBe("Case 3");
  });

  it("are asked every second until they are gone from the page", async () => {
    vi.useFakeTimers();
    const status = { state: "running", step: 1, of: 2, message: "", finished: false };
    const fetched = vi.fn(async () => new Response(JSON.stringify(status)));
    vi.stubGlobal("fetch", fetched);
    document.body.innerHTML = job;
    watchJobs(document);
    await vi.advanceTimersByTimeAsync(2500);
    expect(fetched).toHaveBeenCalledTimes(3);
    document.body.replaceChildren();
    await vi.advanceTimersByTimeAsync(5000);
    expect(fetched).toHaveBeenCalledTimes(3);
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
});

describe("confirmation", () => {
  it("holds the form back until it is confirmed", async () => {
    HTMLDialogElement.prototype.showModal = vi.fn();
    HTMLDialogElement.prototype.close = vi.fn();
    document.body.innerHTML =
      '<form data-confirm="Lock?" data-confirm-action="Lock"><button>Go</button></form>';
    const form = document.querySelector("form") as HTMLFormElement;
    const sent = vi.fn((event: Event) => event.preventDefault());
    confirmForms(document);
    form.requestSubmit();
    await settled();
    document.addEventListener("submit", sent);
    expect(document.querySelector("dialog h2")?.textContent).toBe("Lock?");
    document.querySelector<HTMLButtonElement>("dialog .button--primary")?.click();
    expect(sent).toHaveBeenCalledTimes(1);
    document.removeEventListener("submit", sent);
  });
});
