/** The questions of the invented studies. */

export const option = (code, label, anchor = "", example = "") => ({
  code,
  label,
  anchor,
  example,
});

const asked = (code, text, kind, changes = {}) => ({
  code,
  text,
  kind,
  required: true,
  may_be_not_evaluable: false,
  help: "",
  options: [],
  ...changes,
});

export const TURING = [
  {
    code: "origin",
    text: "Is this image real or synthetic?",
    kind: "single",
    required: true,
    may_be_not_evaluable: false,
    help: "Real: measured in a scanner. Synthetic: computed.",
    options: [option("real", "Real"), option("synthetic", "Synthetic")],
  },
  {
    code: "confidence",
    text: "How sure are you?",
    kind: "ordinal",
    required: true,
    may_be_not_evaluable: false,
    help: "",
    options: ["Guess", "Low", "Medium", "High", "Certain"].map((label, at) =>
      option(String(at + 1), label),
    ),
  },
  {
    code: "cues",
    text: "What decided it?",
    kind: "multi",
    required: false,
    may_be_not_evaluable: false,
    help: "",
    options: [
      option("vessels", "Vessels"),
      option("sulci", "Sulci and gyri"),
      option("edge", "Grey–white edge"),
      option("lesion", "Lesion"),
      option("noise", "Noise, texture"),
      option("sharpness", "Sharpness"),
      option("symmetry", "Symmetry"),
      option("other", "Other"),
    ],
  },
];

const levels = (...labels) =>
  labels.map((label, at) =>
    option(`l${at}`, label, at === 0 ? "as in a measured map" : "details off"),
  );

export const SET = [
  [
    "enhancement",
    "Enhancement",
    "single",
    ["Rim", "Nodular", "Patchy", "None"].map((l) => option(l, l)),
  ],
  ["necrosis", "Necrosis", "single", [option("0", "Absent"), option("1", "Present")]],
  ["quality", "Degree of perfusion", "ordinal", levels("Very good", "Good", "Poor")],
  [
    "margin",
    "Margin of non-enhancing part",
    "single",
    [option("c", "Clear"), option("i", "Indistinct")],
  ],
].map(([code, text, kind, options]) => ({
  code,
  text,
  kind,
  required: true,
  may_be_not_evaluable: true,
  help: "Compare with the other side.",
  options,
}));

const region = (code, text, kind, role) => ({
  code,
  text,
  kind: "region",
  required: true,
  may_be_not_evaluable: true,
  help: "Draw on the image; the squares at its ends change it.",
  region: { kind, role, many: false },
  options: [],
});

export const REGIONS = [
  region("diameter", "Largest diameter of the lesion", "length", "t1c"),
  region("perfusion", "Highest perfusion", "ellipse", "cbv"),
  region("centre", "Centre of the lesion", "point", null),
  SET[1],
];

const ORIGIN = TURING[0];

/** Every way of answering, some of them asked only sometimes. */
export const KINDS = [
  { ...ORIGIN, may_be_not_evaluable: true },
  asked("sure", "How sure are you?", "confidence", {
    bound_to: "origin",
    minimum: 0,
    maximum: 100,
    whole: true,
  }),
  asked("spot", "Where is it seen best?", "region", {
    region: { kind: "point", role: "t1c", many: false },
    show_if: { all: [{ question: "origin", is: ["synthetic"] }] },
  }),
  asked("size", "Largest diameter", "number", {
    minimum: 0,
    maximum: 200,
    unit: "mm",
    may_be_not_evaluable: true,
  }),
  asked("large", "Does it cross the midline?", "single", {
    options: [option("yes", "Yes"), option("no", "No")],
    show_if: { all: [{ question: "size", at_least: 40 }] },
  }),
  asked("remark", "Anything else", "text", { required: false }),
];

export const STEPS = [
  asked("grade", "Grade of the glioma", "ordinal", {
    options: [
      option("2", "Grade 2", "no enhancement, no necrosis", "disc"),
      option("3", "Grade 3", "patchy enhancement", "disc"),
      option("4", "Grade 4", "rim enhancement, necrosis", "disc"),
    ],
    help: "After the WHO classification of 2021.",
    may_be_not_evaluable: true,
  }),
  asked("sure", "How sure are you?", "confidence", {
    bound_to: "grade",
    options: ["Guess", "Low", "Medium", "High", "Certain"].map((label, at) =>
      option(String(at + 1), label),
    ),
  }),
];

export const PERFUSION = asked("perfusion", "Highest perfusion", "region", {
  region: { kind: "ellipse", role: "cbv", many: false },
  required: false,
});

export const WHICH = [
  asked("which", "Which image is synthetic?", "place", { places: 2, equal: true }),
  asked("sure", "How sure are you?", "confidence", {
    bound_to: "which",
    minimum: 0,
    maximum: 100,
    whole: true,
  }),
];

export const RANK = [
  asked("rank", "Order the images by quality", "ranking", { places: 3 }),
  TURING[2],
];
