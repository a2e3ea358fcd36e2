/** The invented study behind the mock server, kept in a file so that it survives a kill. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { LAYOUTS } from "./layouts.mjs";
import { KINDS, PERFUSION, RANK, REGIONS, SET, STEPS, TURING, WHICH } from "./questions.mjs";

const GRACE_MS = 60_000;

const form = (layout, questions) => ({ layout: LAYOUTS[layout], questions });

/** Forms of each study; the last one shows the most. */
const FORMS = {
  single: [form("single", TURING)],
  quad: [form("quad", SET)],
  mixed: [form("mixed", REGIONS)],
  map: [form("map", REGIONS)],
  flat: [form("flat", TURING)],
  kinds: [form("single", KINDS)],
  steps: [form("single", STEPS), form("aided", [...STEPS, PERFUSION])],
  pair: [form("pair", WHICH)],
  rank: [form("rank", RANK)],
  practice: [form("single", TURING)],
  parts: [form("single", TURING), form("aided", TURING)],
};
const TITLES = { quad: "Brain MR reading C", mixed: "Brain MR reading D", map: "CBV map quality" };
const PRACTICE_CASES = 2;
const DAY_MS = 86_400_000;

export class Study {
  constructor({ file, total, layout, median }) {
    this.file = file;
    this.name = layout;
    this.forms = FORMS[layout];
    this.own = { keys: {}, mouse: this.widest.mouse };
    this.median = median;
    this.data =
      file && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : this.fresh(total);
    this.closed = false;
    this.waiting = null;
    this.save();
  }

  get widest() {
    return this.forms.at(-1).layout;
  }

  fresh(total) {
    const stages = this.name === "steps" ? 2 : 1;
    const practice = this.name === "practice" ? PRACTICE_CASES : 0;
    const parts = this.name === "parts" ? 2 : 1;
    const readings = [];
    const add = (period, item, stage) => {
      const at = readings.length + 1;
      readings.push({
        token: `r${item}-${at}${randomUUID().slice(0, 8)}`,
        position: at,
        period,
        stage,
        stages: period === 0 ? 1 : stages,
        form: parts > 1 ? Math.max(0, period - 1) : stage - 1,
        answers: [],
        draft: null,
        open: true,
        withdrawn: null,
      });
    };
    for (let item = 1; item <= practice; item++) add(0, item, 1);
    for (let period = 1; period <= parts; period++) {
      for (let item = 1; item <= total; item++) {
        for (let stage = 1; stage <= stages; stage++) add(period, item, stage);
      }
    }
    return { readings, drafts: 0, pauses: [] };
  }

  save() {
    if (this.file) writeFileSync(this.file, JSON.stringify(this.data));
  }

  find(token) {
    return this.data.readings.find((reading) => reading.token === token);
  }

  withdraw(token) {
    this.find(token).withdrawn = new Date().toISOString();
    this.save();
  }

  get planned() {
    return this.data.readings.filter((one) => one.answers.length > 0 || !one.withdrawn);
  }

  get open() {
    return this.data.readings.filter((one) => one.open && !one.withdrawn);
  }

  get last() {
    const closed = this.data.readings.filter((reading) => reading.answers.length > 0);
    return closed.sort((a, b) => a.answers.at(-1).time - b.answers.at(-1).time).at(-1) ?? null;
  }

  casesOf(period) {
    return this.planned.filter((one) => one.period === period && one.stage === 1);
  }

  doneIn(period) {
    return this.casesOf(period).filter(({ open }) => !open).length;
  }

  brief(reading, number) {
    const { token, position, form: index, stage, stages, period } = reading;
    const { slots, overlays } = this.forms[index].layout;
    const roles = [...slots, ...overlays].map(({ role }) => role);
    const images = Object.fromEntries(roles.map((role) => [role, `${token}x${role}`]));
    const training = period === 0;
    return { token, form: index, period, position, number, stage, stages, training, images };
  }

  current(reading) {
    if (!reading) return null;
    const { period, position, stage, draft } = reading;
    const number = this.doneIn(period) + (stage === 1 ? 1 : 0);
    const before =
      stage > 1 ? this.data.readings.find((one) => one.position === position - 1) : null;
    if (!before) return { ...this.brief(reading, number), draft, sealed: [] };
    const { answers, viewer } = JSON.parse(before.answers.at(-1).text);
    delete viewer.hanging;
    const sealed = [{ form: before.form, stage: before.stage, answers }];
    return { ...this.brief(reading, number), draft: draft ?? { answers: {}, viewer }, sealed };
  }

  undo() {
    const { last } = this;
    const sealed = last?.period === 0 || (last && last.stage < last.stages);
    const left =
      last && !this.closed && !sealed ? last.answers.at(-1).time + GRACE_MS - Date.now() : 0;
    if (left <= 0 || last.open) return null;
    const number = this.doneIn(last.period);
    return { token: last.token, number, seconds_left: Math.floor(left / 1000) };
  }

  /** What keeps the reader from the next case: as told, or the washout between two parts. */
  gate(reading) {
    if (this.waiting) return this.waiting;
    const washout = reading?.period > 1 && this.last?.period < reading.period && !this.opened;
    if (!washout) return null;
    const at = new Date(Date.now() + 28 * DAY_MS).toISOString();
    return { reason: "washout", opens_at: at, calendar: "/read/enr1/next.ics" };
  }

  progress(period) {
    const main = this.planned.filter((one) => one.period > 0);
    const total = this.casesOf(period).length;
    return {
      done: main.filter(({ open }) => !open).length,
      total: main.length,
      median_seconds: this.median,
      part: {
        training: period === 0,
        number: period,
        of: Math.max(...this.data.readings.map((one) => one.period)),
        done: this.doneIn(period),
        total,
        case_seconds: period === 0 ? null : this.median,
        breaks: period === 0 ? [] : [Math.floor(total / 2)],
      },
    };
  }

  practice() {
    const cases = this.casesOf(0);
    if (cases.length === 0) return null;
    const told = cases.filter(({ open }) => !open).flatMap((one) => this.feedback(one));
    const right = told.filter((row) => row.given === row.right).length;
    const done = this.doneIn(0);
    return { done, total: cases.length, told: told.length, right, needed: 0.5, qualified: null };
  }

  feedback(reading) {
    if (reading.period !== 0) return null;
    const { answers } = JSON.parse(reading.answers.at(-1).text);
    return [{ question: "origin", given: answers.origin, right: "synthetic" }];
  }

  state() {
    const [first, ...after] = this.closed ? [] : this.open;
    const waiting = this.gate(first);
    const reading = waiting ? null : this.current(first);
    const period = waiting ? (this.last?.period ?? 0) : (first?.period ?? this.last?.period ?? 1);
    const next = waiting ? [] : after.filter((one) => one.period === period && one.stage === 1);
    const receipt = this.last?.answers.at(-1).receipt ?? null;
    return {
      study: {
        title: TITLES[this.name] ?? "Brain MR reading A",
        instructions:
          "You see one case at a time. Look at all slices, then answer the questions.\n\n" +
          "There is no time limit. Answer with the digits; Enter saves.",
      },
      forms: this.forms.map(({ layout, questions }) => ({
        layout: { ...layout, ...this.own },
        questions,
      })),
      progress: this.progress(period),
      practice: this.practice(),
      reading,
      upcoming: next.slice(0, 2).map((one, at) => this.brief(one, reading.number + at + 1)),
      waiting,
      withdrawn: this.data.readings
        .filter((one) => one.withdrawn && one.answers.length === 0)
        .map(({ token, position, withdrawn }) => ({ token, position, at: withdrawn })),
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
    const late = this.closed || reading.withdrawn !== null;
    const why = this.closed ? "Reading was closed" : "The case was withdrawn";
    const receipt = {
      id: randomUUID(),
      received_at: new Date().toISOString(),
      position: reading.position,
      late,
      reason: late ? `${why} before this answer arrived.` : "",
    };
    reading.answers.push({ key: body.key, text, time: Date.now(), receipt });
    reading.open = false;
    receipt.feedback = this.feedback(reading);
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
