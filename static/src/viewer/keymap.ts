/** Keys of actions, as the reader wants them. */
import type { ActionRow } from "./actions";

export type Keys = Readonly<Record<string, string>>;

/** Keys with one meaning for everybody. */
const FIXED = new Set([
  ..."0 1 2 3 4 5 6 7 8 9".split(" "),
  "tab",
  "shift+tab",
  "enter",
  "escape",
  "arrowleft",
  "arrowright",
  "shift+arrowleft",
  "shift+arrowright",
  "?",
]);

const NAMES: Readonly<Record<string, string>> = {
  " ": "Space",
  arrowup: "↑",
  arrowdown: "↓",
  pageup: "PgUp",
  pagedown: "PgDn",
  delete: "Del",
  backspace: "⌫",
  home: "Home",
  end: "End",
};

/** A key as it is printed on a key cap. */
export function keyName(key: string): string {
  if (key === "") return "";
  const shifted = key.startsWith("shift+");
  const plain = shifted ? key.slice("shift+".length) : key;
  const name = NAMES[plain] ?? (plain.length === 1 ? plain.toUpperCase() : capital(plain));
  return shifted ? `⇧ ${name}` : name;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** One name for a key press: "w", "shift+g", "arrowup"; signs carry no shift of their own. */
export function keyOf(press: { readonly key: string; readonly shift: boolean }): string {
  const key = press.key.toLowerCase();
  const named = key.length > 1 || key === " " || /\p{L}/u.test(key);
  return press.shift && named ? `shift+${key}` : key;
}

export class KeyMap {
  private readonly byKey = new Map<string, string>();

  constructor(
    private readonly rows: readonly ActionRow<string>[],
    private readonly own: Keys = {},
  ) {
    for (const row of rows) {
      const key = this.of(row.action);
      if (key !== "") this.byKey.set(key, row.action);
    }
  }

  /** The key of an action, "" if it has none. */
  of(action: string): string {
    const row = this.rows.find((one) => one.action === action);
    return this.own[action] ?? row?.key ?? "";
  }

  actionOf(key: string): string | null {
    return this.byKey.get(key) ?? null;
  }

  repeats(action: string): boolean {
    return this.rows.find((row) => row.action === action)?.repeats ?? false;
  }
}

/** Why a key cannot have an action, or null. */
export function conflict(
  rows: readonly ActionRow<string>[],
  own: Keys,
  action: string,
  key: string,
): string | null {
  if (key === "") return null;
  if (FIXED.has(key)) return `${keyName(key)} always does the same and stays as it is.`;
  const holder = new KeyMap(rows, own).actionOf(key);
  if (holder === null || holder === action) return null;
  const does = rows.find((row) => row.action === holder)?.does ?? holder;
  return `${keyName(key)} is taken: ${does}. Give that one another key first.`;
}

/** Only what differs from the defaults is kept. */
export function changesOnly(rows: readonly ActionRow<string>[], own: Keys): Keys {
  const changed = rows.filter(
    ({ action, key }) => own[action] !== undefined && own[action] !== key,
  );
  return Object.fromEntries(changed.map(({ action }) => [action, own[action] as string]));
}
