/** The invented study behind the mock server, kept in a file so that it survives a kill. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { LAYOUTS } from "./layouts.mjs";

const GRACE_MS = 60_000;

const option = (code, label, anchor = "") => ({ code, label, anchor });

const TURING = [
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

const SET = [
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

const REGIONS = [
  region("diameter", "Largest diameter of the lesion", "length", "t1c"),
  region("perfusion", "Highest perfusion", "ellipse", "cbv"),
  region("centre", "Centre of the lesion", "point", null),
  SET[1],
];

const QUESTIONS = { quad: SET, mixed: REGIONS, map: REGIONS };
const TITLES = { quad: "Brain MR reading C", mixed: "Brain MR reading D", map: "CBV map quality" };

export class Study {
  constructor({ file, total, layout, median }) {
    this.file = file;
    this.name = layout;
    this.layout = LAYOUTS[layout];
    this.own = { keys: {}, mouse: this.layout.mouse };
    this.median = median;
    this.data =
      file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : this.fresh(total);
    this.closed = false;
    this.save();
  }

  fresh(total) {
    const readings = Array.from({ length: total }, (_, at) => ({
      token: `r${at + 1}-${randomUUID().slice(0, 8)}`,
      position: at + 1,
      answers: [],
      draft: null,
      open: true,
    }));
    return { readings, drafts: 0, pauses: [] };
  }

  save() {
    if (this.file) writeFileSync(this.file, JSON.stringify(this.data));
  }

  find(token) {
    return this.data.readings.find((reading) => reading.token === token);
  }

  get open() {
    return this.data.readings.filter((reading) => reading.open);
  }

  get last() {
    const closed = this.data.readings.filter((reading) => reading.answers.length > 0);
    return closed.sort((a, b) => a.answers.at(-1).time - b.answers.at(-1).time).at(-1) ?? null;
  }

  brief(reading) {
    if (!reading) return null;
    const roles = [...this.layout.slots, ...this.layout.overlays].map(({ role }) => role);
    const images = Object.fromEntries(roles.map((role) => [role, `${reading.token}x${role}`]));
    return { token: reading.token, form: 0, position: reading.position, images };
  }

  undo() {
    const { last } = this;
    const left = last && !this.closed ? last.answers.at(-1).time + GRACE_MS - Date.now() : 0;
    if (left <= 0 || last.open) return null;
    return { token: last.token, position: last.position, seconds_left: Math.floor(left / 1000) };
  }

  state() {
    const [reading, ...after] = this.closed ? [] : this.open;
    const total = this.data.readings.length;
    const receipt = this.last?.answers.at(-1).receipt ?? null;
    return {
      study: {
        title: TITLES[this.name] ?? "Brain MR reading A",
        instructions:
          "You see one image at a time. Decide whether it was measured or computed.\n\n" +
          "There is no time limit. Answer with the digits; Enter saves.",
      },
      forms: [
        { layout: { ...this.layout, ...this.own }, questions: QUESTIONS[this.name] ?? TURING },
      ],
      progress: {
        done: total - this.open.length,
        total,
        median_seconds: this.median,
        breaks: [Math.floor(total / 2)],
      },
      reading: reading ? { ...this.brief(reading), draft: reading.draft } : null,
      upcoming: after.slice(0, 2).map((one) => this.brief(one)),
      withdrawn: [],
      undo: this.undo(),
      last_receipt: receipt && {
        id: receipt.id,
        received_at: receipt.received_at,
        position: receipt.position,
      },
      state: this.closed ? "closed" : "running",
      server_time: new Date().toISOString(),
    };
  }

  /** Status and body of a reply to an answer. */
  answer(token, body) {
    const reading = this.find(token);
    if (!reading) return [404, { error: { code: "unknown", message: "No such reading." } }];
    const same = reading.answers.find((answer) => answer.key === body.key);
    const text = JSON.stringify(body);
    if (same && same.text === text) return [200, { receipt: same.receipt, state: this.state() }];
    if (same) return [409, this.conflict("key_reused")];
    if (!reading.open) return [409, this.conflict("already_answered")];
    const receipt = {
      id: randomUUID(),
      received_at: new Date().toISOString(),
      position: reading.position,
      late: this.closed,
      reason: this.closed ? "Reading was closed meanwhile. The answer is kept as late." : "",
    };
    reading.answers.push({ key: body.key, text, time: Date.now(), receipt });
    reading.open = false;
    this.save();
    return [201, { receipt, state: this.state() }];
  }

  conflict(code) {
    return {
      error: { code, message: "The first answer counts; this one is kept as late." },
      state: this.state(),
    };
  }

  reopen(token) {
    const undo = this.undo();
    if (undo?.token !== token) {
      return [409, { error: { code: "too_late", message: "The time for undoing has passed." } }];
    }
    const reading = this.find(token);
    reading.open = true;
    const { answers, viewer } = JSON.parse(reading.answers.at(-1).text);
    reading.draft = { answers, viewer };
    this.save();
    return [200, { state: this.state() }];
  }

  keepDraft(token, draft) {
    const reading = this.find(token);
    if (reading) reading.draft = draft;
    this.data.drafts++;
    this.save();
  }
}
