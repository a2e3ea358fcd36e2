import { compile, type TopLevelSpec } from "vega-lite";
import { expressionInterpreter } from "vega-interpreter";
import { parse, View } from "vega";
import { Tip } from "./tip";

const NEAR = "400px";

/** Replaces the drawn figures of a page by living ones as they come near; the picture stays where that fails. */
export function liveFigures(root: ParentNode): void {
  const frames = root.querySelectorAll<HTMLElement>("[data-figure]");
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watcher.unobserve(entry.target);
        void enliven(entry.target as HTMLElement);
      }
    },
    { rootMargin: NEAR },
  );
  frames.forEach((frame) => watcher.observe(frame));
}

async function enliven(frame: HTMLElement): Promise<void> {
  const spec = await specOf(frame.dataset.figure as string);
  if (!spec) return;
  const picture = frame.querySelector("img");
  const place = document.createElement("div");
  place.className = "figure-live";
  try {
    await draw(spec, place);
  } catch (error) {
    console.warn("the figure stays a picture", error);
    return;
  }
  if (picture) {
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", picture.alt);
    picture.remove();
  }
  frame.append(place);
}

async function specOf(url: string): Promise<TopLevelSpec | null> {
  const response = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
  return response?.ok ? ((await response.json()) as TopLevelSpec) : null;
}

/** Draws with the interpreter of expressions, which needs no eval. */
async function draw(spec: TopLevelSpec, place: HTMLElement): Promise<void> {
  const runtime = parse(compile(spec).spec, undefined, { ast: true });
  const view = new View(runtime, {
    expr: expressionInterpreter,
    renderer: "svg",
    container: place,
    hover: true,
  });
  const tip = new Tip(place);
  view.tooltip((_, event, __, value) => tip.show(event, value as unknown));
  await view.runAsync();
}
