/** Which display this window is on: a random name kept in this browser, and the screen's size. */

const STORE_KEY = "readerstudy display";
const COOKIE = "readerstudy_display";
const COOKIE_SECONDS = 400 * 24 * 60 * 60;
const NAME = /^[0-9a-f]{32}$/;

interface Screen {
  readonly width: number;
  readonly height: number;
  readonly colorDepth: number;
}

export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The name of this browser, made once; the cookie brings it back where the store was cleared. */
export function nameOf(store: Storage, cookie: string | null): string {
  const known = store.getItem(STORE_KEY) ?? cookie?.split("_")[0] ?? "";
  const name = NAME.test(known) ? known : randomName();
  store.setItem(STORE_KEY, name);
  return name;
}

export function cookieValue(name: string, screen: Screen, pixelRatio: number): string {
  const ratio = Math.round(pixelRatio * 10_000) / 10_000;
  return [name, screen.width, screen.height, ratio, screen.colorDepth].join("_");
}

export function readCookie(cookies: string): string | null {
  return new RegExp(`(?:^|;\\s*)${COOKIE}=([^;]*)`).exec(cookies)?.[1] ?? null;
}

/** Tells the server which display this is; true if it did not know. */
export function announceDisplay(): boolean {
  const before = readCookie(document.cookie);
  const value = cookieValue(nameOf(window.localStorage, before), screen, window.devicePixelRatio);
  const secure = window.location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${COOKIE}=${value}; Path=/; Max-Age=${COOKIE_SECONDS}; SameSite=Lax${secure}`;
  return value !== before;
}
