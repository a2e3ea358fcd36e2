/**
 * Colour maps with evenly growing lightness. A few stops give the course of hue and chroma in CIE
 * L*a*b*; the table then walks that course so that L* grows by the same step from entry to entry.
 */
export type MapName = "inferno" | "viridis" | "grey" | "difference";
type Rgb = readonly [red: number, green: number, blue: number];
type Lab = readonly [l: number, a: number, b: number];

export const ENTRIES = 256;

const STOPS: Readonly<Record<MapName, readonly number[]>> = {
  grey: [0x000000, 0xffffff],
  inferno: [
    0x000004, 0x1b0c42, 0x4b0c6b, 0x781c6d, 0xa52c60, 0xcf4446, 0xed6925, 0xfb9a06, 0xf7d03c,
    0xfcffa4,
  ],
  viridis: [
    0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e, 0x1f9e89, 0x35b779, 0x6dcd59, 0xb4de2c,
    0xfde725,
  ],
  difference: [0x000000, 0x8a4b08, 0xffb45e],
};
const BELOW_ZERO = [0x000000, 0x1f5f9e, 0x8cc4ff];

const rgbOf = (stop: number): Rgb => [
  ((stop >> 16) & 255) / 255,
  ((stop >> 8) & 255) / 255,
  (stop & 255) / 255,
];

const linear = (c: number) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const encoded = (c: number) => (c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055);

const WHITE = [0.95047, 1, 1.08883] as const;
const EDGE = 6 / 29;
const squeeze = (t: number) => (t > EDGE ** 3 ? Math.cbrt(t) : t / (3 * EDGE ** 2) + 4 / 29);
const stretch = (t: number) => (t > EDGE ? t ** 3 : 3 * EDGE ** 2 * (t - 4 / 29));

/** CIE L*a*b* (D65) of an sRGB colour. */
export function labOf([red, green, blue]: Rgb): Lab {
  const [r, g, b] = [linear(red), linear(green), linear(blue)];
  const x = squeeze((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / WHITE[0]);
  const y = squeeze((0.2126729 * r + 0.7151522 * g + 0.072175 * b) / WHITE[1]);
  const z = squeeze((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / WHITE[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function rgbOfLab([l, a, b]: Lab): Rgb {
  const fy = (l + 16) / 116;
  const x = WHITE[0] * stretch(fy + a / 500);
  const y = WHITE[1] * stretch(fy);
  const z = WHITE[2] * stretch(fy - b / 200);
  const within = (c: number) => Math.min(1, Math.max(0, encoded(Math.max(0, c))));
  return [
    within(3.2404542 * x - 1.5371385 * y - 0.4985314 * z),
    within(-0.969266 * x + 1.8760108 * y + 0.041556 * z),
    within(0.0556434 * x - 0.2040259 * y + 1.0572252 * z),
  ];
}

/** Colour on the course of the stops where the lightness is that share of the whole span. */
function along(course: readonly Lab[], share: number): Rgb {
  const first = course[0] as Lab;
  const last = course.at(-1) as Lab;
  const wanted = first[0] + (last[0] - first[0]) * share;
  const next = Math.max(
    1,
    course.findIndex((lab) => lab[0] >= wanted - 1e-9),
  );
  const [from, to] = [course[next - 1] as Lab, course[next] as Lab];
  const part = (wanted - from[0]) / (to[0] - from[0]);
  return rgbOfLab([wanted, from[1] + (to[1] - from[1]) * part, from[2] + (to[2] - from[2]) * part]);
}

function build(name: MapName): Uint8Array {
  const table = new Uint8Array(ENTRIES * 3);
  const course = STOPS[name].map((stop) => labOf(rgbOf(stop)));
  const below = BELOW_ZERO.map((stop) => labOf(rgbOf(stop)));
  for (let at = 0; at < ENTRIES; at++) {
    const share = at / (ENTRIES - 1);
    const signed = 2 * share - 1;
    const rgb =
      name === "difference"
        ? along(signed < 0 ? below : course, Math.abs(signed))
        : along(course, share);
    rgb.forEach((c, channel) => {
      table[at * 3 + channel] = Math.round(c * 255);
    });
  }
  return table;
}

const tables = new Map<MapName, Uint8Array>();

/** 256 colours, red green blue in bytes. */
export function tableOf(name: MapName): Uint8Array {
  let table = tables.get(name);
  if (!table) {
    table = name === "grey" ? greys() : build(name);
    tables.set(name, table);
  }
  return table;
}

/** Grey follows the level itself, as every display of medical images does. */
function greys(): Uint8Array {
  return Uint8Array.from({ length: ENTRIES * 3 }, (_, at) => Math.floor(at / 3));
}
