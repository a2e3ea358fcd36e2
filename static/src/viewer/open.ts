/** The viewer on a page of its own: any case, series beside each other, and their difference. */
import { h } from "../shared/dom";
import { VIEWER_ACTIONS, type ViewerAction } from "./actions";
import { loadBackend } from "./backend";
import { KeyMap, keyOf } from "./keymap";
import { paneCount } from "./hanging";
import { gridOf, type Hanging, type Layout, seriesOf, type SlotLayout } from "./layout";
import { CaseImages, chunksFrom, type Difference } from "./loader";
import { checkChunks } from "./plan";
import { Rail } from "./rail";
import { Viewer } from "./viewer";

export interface Shown {
  readonly layout: Layout;
  /** Token of each role. */
  readonly images: Readonly<Record<string, string>>;
  /** Pairs on one grid: a pane shows the first less the second. */
  readonly differences?: readonly { readonly of: string; readonly minus: string }[];
  /** Addresses are this, the token, "/" and the number of the chunk. */
  readonly base?: string;
}

export interface OpenViewer {
  readonly viewer: Viewer;
  readonly images: CaseImages;
  close(): void;
}

const DIFFERENCE_ROLE = "difference";

function sameGrid(a: SlotLayout, b: SlotLayout): boolean {
  return JSON.stringify([gridOf(a), a.value]) === JSON.stringify([gridOf(b), b.value]);
}

/** A slot for one image less another, with a symmetric range of a quarter of all levels. */
export function differenceSlot(layout: Layout, of: string, minus: string): SlotLayout {
  const first = layout.slots.find(({ role }) => role === of);
  const second = layout.slots.find(({ role }) => role === minus);
  if (!first || !second) throw new Error(`There is no image ${first ? minus : of} to compare`);
  if (!sameGrid(first, second)) {
    throw new Error(`${first.label} and ${second.label} do not lie on one grid with one unit`);
  }
  const range = 1024;
  return {
    ...first,
    role: `${DIFFERENCE_ROLE}_${of}_${minus}`,
    label: `${first.label} − ${second.label}`,
    window: { width: 2 * range, level: 0 },
    presets: [],
    value: first.value && { ...first.value, intercept: 0 },
    colour: { map: "difference", range: [-range, range] },
    minus: { of, role: minus },
  };
}

const HANGINGS: readonly Hanging[] = ["1x1", "1x2", "2x2", "2x3", "planes"];

/** With differences the panes are arranged so that all images are seen at once. */
function withDifferences(layout: Layout, pairs: Shown["differences"] = []): Layout {
  if (pairs.length === 0) return layout;
  const extra = pairs.map(({ of, minus }) => differenceSlot(layout, of, minus));
  const slots = [...layout.slots, ...extra];
  const initial = HANGINGS.find((hanging) => paneCount(hanging) >= slots.length) ?? "2x3";
  return { ...layout, slots, hanging: { initial, allowed: HANGINGS } };
}

function derived(layout: Layout): Difference[] {
  return layout.slots.flatMap(({ role, minus }) =>
    minus ? [{ role, of: minus.of, minus: minus.role }] : [],
  );
}

/** Shows a case in an element; the keys and the rail are those of the reading page. */
export async function openViewer(element: HTMLElement, shown: Shown): Promise<OpenViewer> {
  const layout = withDifferences(shown.layout, shown.differences);
  for (const { chunks, shape } of layout.slots) checkChunks(chunks, shape[0]);
  const makeBackend = await loadBackend();
  const images = new CaseImages(
    {
      key: "shown",
      images: shown.images,
      series: seriesOf(layout),
      differences: derived(layout),
    },
    chunksFrom(shown.base ?? "/i/"),
  );
  const viewer = new Viewer(layout, makeBackend, {
    onShown: () => undefined,
    onChange: () => undefined,
    onControls: (controls) => rail.show(controls),
    onFull: () => undefined,
    onTagged: () => undefined,
    failureCover: () => ({
      tone: "stop",
      title: "This image did not arrive",
      action: { label: "Try again", run: () => images.start("high") },
    }),
  });
  const rail = new Rail(viewer.offer, (action) => void viewer.run(action), null);
  const keys = new KeyMap(VIEWER_ACTIONS, layout.keys);
  rail.showKeys(keys);
  rail.show(viewer.controls);
  element.replaceChildren(h("div", { class: "viewer" }, rail.element, viewer.element));
  const listen = (event: KeyboardEvent) => keyDown(event, viewer, keys);
  document.addEventListener("keydown", listen);
  images.start("high");
  viewer.open(images);
  const close = () => {
    document.removeEventListener("keydown", listen);
    images.stop();
    viewer.close();
  };
  return { viewer, images, close };
}

function keyDown(event: KeyboardEvent, viewer: Viewer, keys: KeyMap): void {
  const target = event.target as Element;
  const modified = event.ctrlKey || event.altKey || event.metaKey;
  if (modified || target.closest("input, textarea, select, dialog")) return;
  if (event.key === " " && target.closest("button, a")) return;
  if (runKey(event, viewer, keys)) event.preventDefault();
}

function runKey(event: KeyboardEvent, viewer: Viewer, keys: KeyMap): boolean {
  if (viewer.placingKey(event.key.toLowerCase(), event.shiftKey)) return true;
  const key = keyOf({ key: event.key, shift: event.shiftKey });
  if (key === "escape") return viewer.leaveFull();
  const preset = event.shiftKey && /^Digit([1-9])$/.exec(event.code);
  if (preset) {
    viewer.preset(Number(preset[1]) - 1);
    return true;
  }
  const action = keys.actionOf(key) as ViewerAction | null;
  if (action === null || (event.repeat && !keys.repeats(action))) return false;
  return viewer.run(action);
}
