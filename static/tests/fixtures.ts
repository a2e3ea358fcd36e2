import type {
  FullReceipt,
  Part,
  Question,
  ReadingCase,
  StudyState,
  Submission,
} from "../src/reading/contract";
import type { Layout, SlotLayout } from "../src/viewer/layout";

export function slot(role: string, changes: Partial<SlotLayout> = {}): SlotLayout {
  return {
    role,
    label: role.toUpperCase(),
    plane: "axial",
    shape: [4, 2, 3],
    spacing_mm: [2, 1, 1],
    origin_mm: [-1, -0.5, 10],
    chunks: [
      [1, 3],
      [3, 4],
      [0, 1],
    ],
    window: { width: 2600, level: 1300 },
    presets: [],
    value: null,
    colour: null,
    ...changes,
  };
}

export function layout(slots: readonly SlotLayout[], changes: Partial<Layout> = {}): Layout {
  return {
    hanging: { initial: "1x1", allowed: ["1x1"] },
    slots,
    overlays: [],
    interpolation: "linear",
    interpolation_fixed: false,
    integer_scale: false,
    tools: ["window", "zoom", "pan"],
    keys: {},
    mouse: {},
    ...changes,
  };
}

export function question(code: string, changes: Partial<Question> = {}): Question {
  return {
    code,
    text: `Question ${code}`,
    kind: "single",
    required: true,
    may_be_not_evaluable: false,
    help: "",
    options: [
      { code: "a", label: "A", anchor: "" },
      { code: "b", label: "B", anchor: "" },
      { code: "c", label: "C", anchor: "" },
    ],
    ...changes,
  };
}

export function reading(position: number, changes: Partial<ReadingCase> = {}): ReadingCase {
  return {
    token: `t${position}`,
    form: 0,
    position,
    number: position,
    stage: 1,
    stages: 1,
    training: false,
    images: { t1c: `image${position}` },
    ...changes,
  };
}

export function submission(key: string, answer = "a"): Submission {
  return {
    key,
    answers: { q1: answer },
    clock: {
      rule: "reading-times/3",
      shown_at: "2026-11-20T12:00:00.000Z",
      submitted_at: "2026-11-20T12:00:10.000Z",
      load_ms: 100,
      look_ms: 9900,
      idle_ms: 0,
      away_ms: 0,
      events: [],
      events_dropped: 0,
    },
    viewer: {},
  };
}

export function receipt(position: number, changes: Partial<FullReceipt> = {}): FullReceipt {
  return {
    id: `receipt${position}`,
    received_at: "2026-11-20T12:00:11.000Z",
    position,
    late: false,
    reason: "",
    ...changes,
  };
}

export function part(done: number, total: number, changes: Partial<Part> = {}): Part {
  return {
    training: false,
    number: 1,
    of: 1,
    done,
    total,
    case_seconds: null,
    breaks: [2],
    ...changes,
  };
}

/** A study of `total` cases of which `done` are read. */
export function state(done: number, total = 5, changes: Partial<StudyState> = {}): StudyState {
  const at = (position: number) => (position <= total ? reading(position) : null);
  const current = at(done + 1);
  return {
    study: { title: "Reading A", instructions: "" },
    forms: [{ layout: layout([slot("t1c")]), questions: [question("q1")] }],
    progress: { done, total, part: part(done, total) },
    reading: current && { ...current, draft: null, sealed: [] },
    upcoming: [at(done + 2), at(done + 3)].filter((one) => one !== null),
    withdrawn: [],
    waiting: null,
    practice: null,
    undo: done > 0 ? { token: `t${done}`, number: done, seconds_left: 60 } : null,
    last_receipt: null,
    state: "running",
    server_time: "2026-11-20T12:00:00.000Z",
    ...changes,
  };
}

/** Lets promises that are already settled run. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
}
