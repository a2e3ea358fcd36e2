/** Ways to hang the invented cases. */
import { headValue, labelValue, makeChunks, mapValue } from "./phantom.mjs";

const TOOLS = [
  ..."window zoom pan length ellipse mark invert colour overlay hanging planes cine full link".split(
    " ",
  ),
];

const GRIDS = {
  axial: {
    plane: "axial",
    shape: [80, 216, 176],
    spacing_mm: [2, 1, 1],
    origin_mm: [-87.5, -97.5, -59],
  },
  thick: {
    plane: "axial",
    shape: [32, 180, 160],
    spacing_mm: [5, 1.2, 1.2],
    origin_mm: [-95.4, -97.4, -57.5],
  },
  sagittal: {
    plane: "sagittal",
    shape: [88, 160, 216],
    spacing_mm: [2, 1, 1],
    origin_mm: [-87, -97.5, 99.5],
  },
  coronal: {
    plane: "coronal",
    shape: [54, 160, 176],
    spacing_mm: [4, 1, 1],
    origin_mm: [-87.5, -96, 99.5],
  },
  flat: {
    plane: "axial",
    shape: [1, 128, 128],
    spacing_mm: [1, 1, 1],
    origin_mm: [-63.5, -53.5, 28],
  },
};

const beside = (place, label) =>
  slot(place === 0 ? "t1c" : `t1c-${place + 1}`, label, "axial", { place });

const PRESETS = [
  { label: "Full range", width: 4095, level: 2048 },
  { label: "Tissue", width: 1400, level: 900 },
  { label: "Bright", width: 2400, level: 2600 },
  { label: "Brightest", width: 400, level: 3600 },
];

function slot(role, label, grid, changes = {}) {
  return {
    role,
    label,
    place: 0,
    ...GRIDS[grid],
    chunks: makeChunks(GRIDS[grid].shape[0]),
    window: { width: 2600, level: 1300 },
    presets: PRESETS,
    value: null,
    colour: null,
    ...changes,
  };
}

const CBV = {
  window: { width: 4095, level: 2048 },
  presets: [],
  value: { unit: "mL/100 g", slope: 8 / 4095, intercept: 0 },
  colour: { map: "inferno", range: [0, 4095] },
};

const T1C = slot("t1c", "T1 after contrast", "axial");
const LESION = {
  role: "seg",
  label: "Lesion",
  on: ["t1c", "t1"],
  labels: [
    { value: 1, label: "Rim", colour: "#86b6e6" },
    { value: 2, label: "Core", colour: "#e3b659" },
  ],
};

function layout(slots, initial, allowed, changes = {}) {
  return {
    hanging: { initial, allowed },
    slots,
    overlays: [],
    interpolation: "linear",
    interpolation_fixed: false,
    integer_scale: false,
    tools: TOOLS,
    keys: {},
    mouse: { left: "window", middle: "pan", right: "zoom" },
    ...changes,
  };
}

export const LAYOUTS = {
  single: layout([T1C], "1x1", ["1x1", "planes"]),
  quad: layout(
    [slot("t1", "T1", "axial"), T1C, slot("t2", "T2", "axial"), slot("flair", "FLAIR", "axial")],
    "2x2",
    ["2x2", "1x2", "1x1", "planes"],
    { overlays: [LESION] },
  ),
  mixed: layout(
    [
      T1C,
      slot("t2", "T2", "thick"),
      slot("flair", "FLAIR", "sagittal"),
      slot("swi", "SWI", "coronal"),
      slot("cbv", "CBV", "axial", CBV),
    ],
    "2x3",
    ["2x3", "2x2", "1x2", "1x1", "planes"],
    { overlays: [{ ...LESION, on: ["t1c"] }] },
  ),
  map: layout([T1C, slot("cbv", "CBV", "axial", CBV)], "1x2", ["1x2", "1x1", "planes"]),
  aided: layout([T1C, slot("cbv", "CBV, synthetic map", "axial", CBV)], "1x2", ["1x2", "1x1"]),
  pair: layout([beside(0, "Left"), beside(1, "Right")], "1x2", ["1x2"]),
  rank: layout([beside(0, "Left"), beside(1, "Middle"), beside(2, "Right")], "2x2", ["2x2", "1x1"]),
  flat: layout([slot("t1c", "T1 after contrast", "flat")], "1x1", ["1x1"], {
    interpolation: "nearest",
    interpolation_fixed: true,
    integer_scale: true,
  }),
};

/** What each role holds at a place. */
export function valueOf(role, seed) {
  if (role === "seg") return labelValue(seed);
  if (role === "cbv") return mapValue(seed);
  const [, base, place] = /^([a-z0-9]+)(?:-(\d))?$/.exec(role) ?? [];
  if (place) return valueOf(base, seed + Number(place));
  const contrasts = { t1: 1, t1c: 1.3, t2: 1.6, flair: 1.9, swi: 0.9 };
  return headValue(seed, contrasts[role] ?? 1);
}
