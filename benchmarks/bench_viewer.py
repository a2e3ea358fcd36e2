"""Time the reading page against a minimal WebGL2 page that fetches the same bytes.

    python benchmarks/bench_viewer.py [--rounds 3] [--cases 14] [--repeats 18]

Four sequences of 240 x 240 x 155 in a 2 x 2 hanging, Chromium with the software renderer, the
project's own server. Each round opens a fresh browser; the two pages take turns. The goals are
those of the viewer research on a two-core machine; a busy machine misses them together with the
minimal page, so look at both columns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from viewer_site import PASSWORD, Site

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--disable-background-networking"),
    *("--js-flags=--expose-gc", "--enable-precise-memory-info"),
)
LIMIT_PAGE = '<!doctype html><title>limit</title><script type="module" src="/limit.js"></script>'
BUSY = ".panes:not([aria-busy='true'])"
STEPS = 40
# The present case, the next one whole, and the first pack of the one after.
CASES_FETCHED = 2.03
# Records when the panes were first not busy, before anything of the page has run.
WATCH = """
window.quiet = [];
addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  const panes = document.querySelector(".panes");
  const busy = !panes || panes.getAttribute("aria-busy") === "true";
  if (window.wasBusy !== false && !busy)
    requestAnimationFrame(() => requestAnimationFrame(() => window.quiet.push(performance.now())));
  window.wasBusy = busy;
}).observe(document, {subtree: true, childList: true, attributes: true}));
"""
# Steps of the page's own input, each waited for until it is painted.
INPUT = """
async ([kind, count]) => {
  const pane = document.querySelector(".pane"), box = pane.getBoundingClientRect();
  const target = document.elementFromPoint(box.x + 200, box.y + 200);
  const at = (dx) => ({bubbles: true, cancelable: true, pointerId: 1, isPrimary: true,
    button: 0, buttons: 1, clientX: box.x + 200 + dx, clientY: box.y + 200, pointerType: "mouse"});
  const frame = () => new Promise(requestAnimationFrame);
  if (kind === "window") target.dispatchEvent(new PointerEvent("pointerdown", at(0)));
  const times = [];
  for (let step = 1; step <= count; step++) {
    const start = performance.now();
    if (kind === "window") target.dispatchEvent(new PointerEvent("pointermove", at(2 * step)));
    else target.dispatchEvent(
      new WheelEvent("wheel", {...at(0), deltaY: step % 40 < 20 ? 100 : -100}));
    await frame();
    await frame();
    times.push(performance.now() - start);
  }
  if (kind === "window") target.dispatchEvent(new PointerEvent("pointerup", at(0)));
  return times;
}
"""


class Numbers:
    """Measured values by name."""

    def __init__(self) -> None:
        self.found: dict[str, list[float]] = {}

    def add(self, name: str, *values: float) -> None:
        self.found.setdefault(name, []).extend(values)

    def middle(self, name: str) -> float:
        return statistics.median(self.found[name]) if self.found.get(name) else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=14)
    parser.add_argument("--repeats", type=int, default=18)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder), cases=options.cases, repeats=options.repeats)
        try:
            ours, limit = Numbers(), Numbers()
            for _ in range(options.rounds):
                for measure, numbers in ((measure_limit, limit), (measure_page, ours)):
                    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                    measure(browser, site, numbers)
                    browser.close()
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            heap = measure_heap(browser, site)
            browser.close()
        finally:
            site.stop()
    report(ours, limit, heap)


def signed_in(browser: Browser, site: Site) -> tuple[Page, str]:
    """Return a page with a session in an otherwise fresh profile, and the enrolment's token."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{site.url}/sign-in/")
    page.fill("input[name=username]", "reader")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    link = page.locator("a[href*='/read/']").first.get_attribute("href") or ""
    return page, link.strip("/").rpartition("/")[2]


def measure_limit(browser: Browser, site: Site, numbers: Numbers) -> None:
    page, token = signed_in(browser, site)
    script = (Path(__file__).parent / "limit_page.js").read_text()
    page.route("**/limit.html", lambda r: r.fulfill(body=LIMIT_PAGE, content_type="text/html"))
    page.route("**/limit.js", lambda r: r.fulfill(body=script, content_type="text/javascript"))
    page.goto(f"{site.url}/limit.html#{token}")
    page.wait_for_function("window.ready", timeout=60_000)
    numbers.add("cold", page.evaluate("window.shownAt"))
    for kind in ("window", "scroll"):
        numbers.add(kind, *page.evaluate(f"timeSteps('{kind}', {STEPS})"))


def measure_page(browser: Browser, site: Site, numbers: Numbers) -> None:
    page, token = signed_in(browser, site)
    page.add_init_script(WATCH)
    page.goto(f"{site.url}/read/{token}/")
    begin(page)
    numbers.add("cold", page.evaluate("window.quiet[0]"))
    prefetched(page)
    received = images(page)
    numbers.add("first kB", sum(size for _, size in received[:4]) / 1000)
    numbers.add("case MB", sum(size for _, size in received) / 1e6 / CASES_FETCHED)
    numbers.add("heap MB", heap_of(page))
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = cpu_seconds(session)
    numbers.add("window", *page.evaluate(INPUT, ["window", STEPS]))
    numbers.add("window CPU", 1000 * (cpu_seconds(session) - before) / STEPS)
    numbers.add("scroll", *page.evaluate(INPUT, ["scroll", STEPS]))
    numbers.add("next", next_case(page))


def begin(page: Page) -> None:
    """Leave the instructions; the clock of the first case starts with that click."""
    button = page.get_by_role("button", name="Begin")
    page.locator(f"{BUSY}, button:has-text('Begin')").first.wait_for(timeout=60_000)
    if button.count():
        page.evaluate(
            "[...document.querySelectorAll('button')].find(b => /Begin/.test(b.textContent))"
            ".addEventListener('click', () => { window.begun = performance.now();"
            " window.quiet = []; window.wasBusy = undefined; })"
        )
        button.click()
    page.locator(BUSY).wait_for(timeout=60_000)
    page.wait_for_function("window.quiet.length > 0", timeout=60_000)


def prefetched(page: Page) -> None:
    """Wait until nothing more is fetched."""
    page.wait_for_load_state("networkidle", timeout=120_000)
    page.wait_for_timeout(600)


def images(page: Page) -> list[tuple[int, int]]:
    """Return number and received bytes of every chunk of an image, in the order of arrival."""
    return page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.name.includes('/i/'))"
        ".map(e => [Number(e.name.split('/').pop()), e.encodedBodySize])"
    )


def cpu_seconds(session: Any) -> float:
    """Return the processor time of the renderer so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in metrics if one["name"] == "ProcessTime")


def next_case(page: Page) -> float:
    """Answer a case by keyboard; return the time from Enter to the next case on screen."""
    page.wait_for_timeout(600)
    for key in ("1", "3", "Tab"):
        page.keyboard.press(key)
    page.evaluate(
        "addEventListener('keydown', e => { if (e.key === 'Enter') window.entered ="
        " performance.now(); }, {capture: true, once: true});"
        "window.quiet = []; window.wasBusy = undefined;"
        "window.title0 = document.querySelector('.topbar, header')?.textContent"
    )
    page.keyboard.press("Enter")
    page.wait_for_function(
        "window.entered &&"
        " document.querySelector('.topbar, header')?.textContent !== window.title0",
        timeout=60_000,
    )
    page.locator(BUSY).wait_for(timeout=60_000)
    return page.evaluate(
        "new Promise(done => requestAnimationFrame(() => done("
        "(window.quiet.at(-1) ?? performance.now()) - window.entered)))"
    )


def heap_of(page: Page) -> float:
    return page.evaluate("(gc(), performance.memory.usedJSHeapSize / 1e6)")


def measure_heap(browser: Browser, site: Site) -> list[float]:
    """Read on to the end; return the script heap after each case, the next one being held."""
    page, token = signed_in(browser, site)
    page.goto(f"{site.url}/read/{token}/")
    page.add_init_script(WATCH)
    page.reload()
    begin(page)
    found = []
    while page.locator(BUSY).count() and len(found) < 30:
        prefetched(page)
        found.append(heap_of(page))
        try:
            next_case(page)
        except PlaywrightError as error:  # the study is at its end
            print(f"the reading ended after {len(found)} cases: {type(error).__name__}")
            break
    return found


def report(ours: Numbers, limit: Numbers, heap: list[float]) -> None:
    rows = [
        ("navigation to four panes, ms", "cold", 2000),
        ("next case prefetched, ms", "next", 200),
        ("window step, ms", "window", 60),
        ("window step, renderer CPU ms", "window CPU", 10),
        ("linked scroll step of four, ms", "scroll", 143),
        ("before first pixels of a case, kB", "first kB", 150),
        ("one case on the wire, MB", "case MB", 11),
        ("script heap, next case held, MB", "heap MB", 180),
    ]
    print(f"{'':36}{'this page':>12}{'minimal':>12}{'goal':>10}")
    for label, name, goal in rows:
        print(f"{label:36}{ours.middle(name):12.1f}{limit.middle(name):12.1f}{goal:10}")
    if heap:
        half = len(heap) // 2
        early, late = statistics.median(heap[:half] or heap), statistics.median(heap[half:])
        print(f"heap over {len(heap)} cases, MB: first half {early:.0f}, second half {late:.0f}")


if __name__ == "__main__":
    main()
