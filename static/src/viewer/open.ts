/** The viewer on a page of its own: any case, series beside each other, and their difference. */
import { h } from "../shared/dom";
import { VIEWER_ACTIONS, type ViewerAction } from "./actions";
import { loadBackend } from "./backend";
import { KeyMap, keyOf } from "./keymap";
import { paneCount } from "./hanging";
import { helpDialog } from "./help";
import { gridOf, type Hanging, type Layout, seriesOf, type SlotLayout } from "./layout";
import { CaseImages, chunksFrom, type Difference } from "./loader";
import { checkChunks } from "./plan";
import { Rail } from "./rail";
import { Viewer } from "./viewer";

export interface Pair {
  readonly of: string;
  readonly minus: string;
  readonly label?: string;
  /** Level at the end of the colours, on either side of zero; a quarter of all levels if unsaid. */
  readonly range?: number;
}

/** Takes the place of an image on the grid of `of`. */
export interface Message {
  readonly of: string;
  readonly title: string;
  readonly text: string;
}

export interface Shown {
  readonly layout: Layout;
  /** Token of each role. */
  readonly images: Readonly<Record<string, string>>;
  /** Pairs on one grid: a pane shows the first less the second. */
  readonly differences?: readonly Pair[];
  /** Panes with words in place of an image, such as why there is no difference. */
  readonly messages?: readonly Message[];
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

const USUAL_RANGE = 1024;
/** Ranges to choose from, as parts of the first one. */
const RANGES: readonly (readonly [string, number])[] = [
  ["Usual range", 1],
  ["Half the range", 0.5],
  ["A quarter of the range", 0.25],
  ["A tenth of the range", 0.1],
  ["Twice the range", 2],
];

/** A slot for one image less another, with a symmetric range that dragging changes. */
export function differenceSlot(layout: Layout, { of, minus, range, label }: Pair): SlotLayout {
  const first = layout.slots.find(({ role }) => role === of);
  const second = layout.slots.find(({ role }) => role === minus);
  if (!first || !second) throw new Error(`There is no image ${first ? minus : of} to compare`);
  if (!sameGrid(first, second)) {
    throw new Error(`${first.label} and ${second.label} do not lie on one grid with one unit`);
  }
  const end = range ?? USUAL_RANGE;
  return {
    ...first,
    role: `${DIFFERENCE_ROLE}_${of}_${minus}`,
    label: label ?? `${first.label} − ${second.label}`,
    window: { width: 2 * end, level: 0 },
    presets: RANGES.map(([label, part]) => ({ label, width: 2 * end * part, level: 0 })),
    value: first.value && { ...first.value, intercept: 0 },
    colour: { map: "difference", range: [-end, end] },
    inverted: false,
    minus: { of, role: minus },
  };
}

function messageSlot(layout: Layout, { of, title, text }: Message): SlotLayout {
  const under = layout.slots.find(({ role }) => role === of);
  if (!under) throw new Error(`There is no image ${of}`);
  const words = { title, text };
  return { ...under, role: `message_${of}`, label: title, colour: null, message: words };
}

const HANGINGS: readonly Hanging[] = ["1x1", "1x2", "2x2", "2x3", "planes"];

/** With differences the panes are arranged so that all images are seen at once. */
function withMore({ layout, differences = [], messages = [] }: Shown): Layout {
  const extra = [
    ...differences.map((pair) => differenceSlot(layout, pair)),
    ...messages.map((message) => messageSlot(layout, message)),
  ];
  if (extra.length === 0) return layout;
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
  const layout = withMore(shown);
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
    failureCover: ({ message }) => ({
      tone: "stop",
      title: "This image did not arrive",
      text: message,
      action: { label: "Try again", run: () => images.start("high") },
    }),
  });
  const keys = new KeyMap(VIEWER_ACTIONS, layout.keys);
  const help = helpDialog(viewer.offer, keys, viewer.currentMouse);
  const rail = new Rail(viewer.offer, (action) => void viewer.run(action), {
    icon: "keys",
    letter: "?",
    word: "Keys",
    run: () => help.showModal(),
  });
  rail.showKeys(keys);
  rail.show(viewer.controls);
  element.replaceChildren(h("div", { class: "viewer" }, rail.element, viewer.element, help));
  const listen = (event: KeyboardEvent) => {
    if (event.key === "?" && !isTyping(event)) help.showModal();
    else keyDown(event, viewer, keys);
  };
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
  if (isTyping(event)) return;
  if (event.key === " " && (event.target as Element).closest("button, a, summary, input")) return;
  if (runKey(event, viewer, keys)) event.preventDefault();
}

/** A choice that has the focus leaves the keys of the viewer alone, as on the reading page. */
const TYPED = "input:not([type=radio], [type=checkbox]), textarea, select, dialog";

/** Keys that belong to a field, a dialog or the browser. */
function isTyping(event: KeyboardEvent): boolean {
  const modified = event.ctrlKey || event.altKey || event.metaKey;
  return modified || (event.target as Element).closest(TYPED) !== null;
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
