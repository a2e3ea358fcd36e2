// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { choose } from "../src/reading/form";
import { type Api, NoConnection, ServerError } from "../src/reading/api";
import type { StudyState, Submission, SubmissionReply } from "../src/reading/contract";
import { Drafts } from "../src/reading/drafts";
import { topBarModel } from "../src/reading/models";
import { AnswerQueue, memoryStore } from "../src/reading/queue";
import { Sender } from "../src/reading/sender";
import { Session } from "../src/reading/session";
import { CaseCache } from "../src/viewer/cache";
import { CaseImages, type FetchChunk } from "../src/viewer/loader";
import { part, question, reading, receipt, settled, state, submission } from "./fixtures";

/** Case positions whose images the invented server gives. */
let available: Set<number>;
let online: boolean;
let server: StudyState;

const bring: FetchChunk = (token, chunk) => {
  const sizes = [2, 1, 1];
  if (!available.has(Number(token.slice(5)))) return new Promise(() => undefined);
  return Promise.resolve(new ArrayBuffer((sizes[chunk] as number) * 12));
};

function makeApi() {
  const submit = async (token: string): Promise<SubmissionReply> => {
    if (!online) throw new NoConnection("lost");
    const position = Number(token.slice(1));
    server = state(position);
    return { receipt: receipt(position), state: server };
  };
  return {
    state: vi.fn(async () => server),
    submit: vi.fn(submit),
    undo: vi.fn(async () => ({ state: server })),
    saveDraft: vi.fn(async () => undefined),
    pause: vi.fn(async () => undefined),
    resume: vi.fn(async () => undefined),
  };
}

const noWait = async () => undefined;

async function begin(queue = new AnswerQueue(memoryStore(), "owner")) {
  const api = makeApi();
  const screen = {
    open: vi.fn(),
    close: vi.fn(),
    state: () => ({}),
    extras: () => ({
      view: { position: [0, 0, 0] as const, centre: [0, 0, 0] as const, scale: null },
      measures: [],
    }),
  };
  const hooks = { changed: vi.fn(), signIn: vi.fn() };
  const parts = {
    api: api as unknown as Api,
    queue,
    drafts: new Drafts(null, "owner", api.saveDraft),
    cache: new CaseCache((source) => new CaseImages(source, bring, noWait, noWait)),
    screen,
    makeSender: (events: ConstructorParameters<typeof Sender>[2]) => new Sender(queue, api, events),
  };
  const session = new Session(parts, server, hooks);
  await session.start();
  await settled();
  return { session, api, screen, hooks, queue };
}

function answer(session: Session, option = "a"): void {
  session.imageShown();
  const form = session.current?.form;
  if (form) session.setForm(choose(form, 0, option));
}

async function read(session: Session, option = "a"): Promise<void> {
  answer(session, option);
  await session.submit();
  await settled();
}

beforeEach(() => {
  available = new Set([1, 2, 3, 4, 5]);
  online = true;
  server = state(0);
  sessionStorage.clear();
  vi.useRealTimers();
});

afterEach(() => {
  vi.clearAllTimers();
});

describe("going on", () => {
  it("moves to the next case and takes the receipt", async () => {
    const { session } = await begin();
    await read(session);
    expect(session.current?.number).toBe(2);
    expect(session.receipt?.position).toBe(1);
    expect(session.undoOffer()?.number).toBe(1);
  });

  it("submits once for two quick Enters", async () => {
    const { session, api } = await begin();
    answer(session);
    await Promise.all([session.submit(), session.submit()]);
    await settled();
    expect(api.submit).toHaveBeenCalledTimes(1);
  });

  it("does not submit an incomplete form, nor one whose image was never shown", async () => {
    const { session, api } = await begin();
    session.imageShown();
    await session.submit();
    const form = session.current?.form;
    const { session: unseen } = await begin();
    if (form && unseen.current) unseen.setForm(choose(unseen.current.form, 0, "a"));
    await unseen.submit();
    expect(api.submit).not.toHaveBeenCalled();
    expect(unseen.canSave).toBe(false);
  });

  it("ends a part after its last case, where another part follows", async () => {
    const before = state(4);
    const { total } = before.progress.part;
    const progress = { done: 4, total: 2 * total, part: part(4, total, { number: 1, of: 2 }) };
    server = { ...before, progress };
    const { session } = await begin();
    expect([session.endsPart, session.isLast]).toEqual([true, false]);
  });

  it("ends after the last case", async () => {
    server = state(4);
    const { session } = await begin();
    expect(session.isLast).toBe(true);
    await read(session);
    expect(session.finished).toBe(true);
    expect(session.current).toBeNull();
  });

  it("offers a break where the study suggests one", async () => {
    server = state(1);
    const { session } = await begin();
    await read(session);
    expect(session.notice?.title).toBe("A good moment for a break");
  });
});

describe("without a connection", () => {
  it("goes on at once with the case that is loaded, then waits", async () => {
    const { session, queue } = await begin();
    online = false;
    await read(session);
    expect(session.current?.number).toBe(2);
    await read(session);
    expect(session.stuck).toBe(true);
    expect(queue.waiting.map(({ reading }) => reading.position)).toEqual([1, 2]);
    online = true;
    session.sender.kick();
    await settled();
    expect(session.current?.number).toBe(3);
    expect(session.stuck).toBe(false);
    expect(queue.all).toEqual([]);
  });

  it("waits where the next case is not loaded", async () => {
    available = new Set([1]);
    const { session } = await begin();
    online = false;
    await read(session);
    expect(session.current?.number).toBe(1);
    expect(session.stuck).toBe(true);
    expect(session.canSave).toBe(false);
  });

  it("does not throw the reader back when receipts arrive late", async () => {
    const { session, screen } = await begin();
    online = false;
    await read(session);
    const opened = screen.open.mock.calls.length;
    answer(session, "c");
    online = true;
    session.sender.kick();
    await settled();
    expect(session.current?.number).toBe(2);
    expect(session.current?.form.answers).toEqual({ q1: "c" });
    expect(screen.open.mock.calls.length).toBe(opened);
  });

  it("takes back the last answer on this computer and sends the correction once", async () => {
    const { session, api, queue } = await begin();
    online = false;
    await read(session, "a");
    expect(session.undoOffer()?.number).toBe(1);
    await session.undo();
    expect(session.current?.number).toBe(1);
    expect(session.current?.form.answers).toEqual({ q1: "a" });
    online = true;
    session.sender.kick();
    await settled();
    expect(queue.held).not.toBeNull();
    await read(session, "b");
    const sent = api.submit.mock.calls.at(-1)?.at(1) as unknown as Submission;
    expect(sent.answers).toEqual({ q1: "b" });
    const happened = sent.clock.events.map(([, what]) => what);
    expect(happened.filter((what) => what === "saved" || what === "undone")).toEqual([
      "saved",
      "undone",
    ]);
    expect(queue.all).toEqual([]);
    expect(session.current?.number).toBe(2);
  });
});

describe("answers left by an earlier page", () => {
  it("are sent first, and their case is not shown again", async () => {
    const queue = new AnswerQueue(memoryStore(), "owner");
    await queue.add(reading(1), submission("k"), 1);
    const { session, api } = await begin(queue);
    expect(api.submit.mock.calls[0]?.at(0)).toBe("t1");
    expect(session.current?.number).toBe(2);
  });

  it("let reading go on as soon as the next case is loaded", async () => {
    const queue = new AnswerQueue(memoryStore(), "owner");
    await queue.add(reading(1), submission("k"), 1);
    online = false;
    const { session } = await begin(queue);
    expect(session.current?.number).toBe(2);
  });
});

describe("a page opened while nothing reaches the server", () => {
  it("says that it waits when every known case is answered", async () => {
    const queue = new AnswerQueue(memoryStore(), "owner");
    for (const position of [1, 2, 3]) {
      await queue.add(reading(position), submission(`k${position}`), position);
    }
    online = false;
    const { session } = await begin(queue);
    expect(session.current).toBeNull();
    expect(session.stuck).toBe(true);
  });
});

describe("the server's word", () => {
  it("is taken when another window answered, with a notice", async () => {
    const { session, api } = await begin();
    api.submit.mockRejectedValueOnce(
      new ServerError(409, "already_answered", "The first answer counts.", state(2)),
    );
    await read(session);
    expect(session.current?.number).toBe(3);
    expect(session.notice?.title).toBe("Case 1 had been answered before");
  });

  it("is not taken when it is older than a receipt", async () => {
    const { session, api } = await begin();
    let reply: (state: StudyState) => void = () => undefined;
    api.state.mockImplementationOnce(() => new Promise((resolve) => (reply = resolve)));
    const refreshed = session.refresh();
    await read(session);
    reply(state(0));
    await refreshed;
    await settled();
    expect(session.current?.number).toBe(2);
  });

  it("says that an answer was kept as late", async () => {
    const { session, api } = await begin();
    api.submit.mockResolvedValueOnce({
      receipt: receipt(1, { late: true, reason: "Reading closed at 12:00." }),
      state: state(5, 5, { state: "closed" }),
    });
    await read(session);
    expect(session.notice?.text).toBe("Reading closed at 12:00.");
    expect(session.current).toBeNull();
  });

  it("opens a refused answer again with what was given", async () => {
    const { session, api } = await begin();
    api.submit.mockRejectedValueOnce(new ServerError(400, "invalid_answer", "Unknown option."));
    await read(session, "c");
    await settled();
    expect(session.current?.number).toBe(1);
    expect(session.current?.form.answers).toEqual({ q1: "c" });
    expect(session.notice?.text).toContain("Unknown option.");
    await read(session, "a");
    expect(session.current?.number).toBe(2);
  });

  it("undoes there and fills the form with the former answers", async () => {
    const { session, api } = await begin();
    await read(session);
    const before = state(0);
    const undone = { ...before.reading, draft: { answers: { q1: "b" }, viewer: {} } };
    api.undo.mockResolvedValueOnce({ state: { ...before, reading: undone } as StudyState });
    await session.undo();
    await settled();
    expect(session.current?.number).toBe(1);
    expect(session.current?.form.answers).toEqual({ q1: "b" });
  });
});

describe("drafts", () => {
  it("bring back form and active question on the same computer", async () => {
    const { session } = await begin();
    answer(session, "b");
    const { session: reloaded } = await begin();
    expect(reloaded.current?.form.answers).toEqual({ q1: "b" });
  });

  it("are forgotten once the answer is queued", async () => {
    const { session } = await begin();
    await read(session);
    expect(Object.keys(sessionStorage).filter((key) => key.includes("t1"))).toEqual([]);
  });

  it("come from the server on another computer", async () => {
    const fresh = state(0);
    const draft = { answers: { q1: "c" }, viewer: {} };
    server = { ...fresh, reading: { ...fresh.reading, draft } } as StudyState;
    const { session } = await begin();
    expect(session.current?.form.answers).toEqual({ q1: "c" });
  });
});

describe("pausing", () => {
  it("stops the clock and tells the server", async () => {
    const { session, api } = await begin();
    session.pause();
    expect(session.paused).toBe(true);
    expect(api.pause).toHaveBeenCalledTimes(1);
    session.resume();
    expect(api.resume).toHaveBeenCalledTimes(1);
  });
});

describe("a withdrawn case", () => {
  const at = "2026-11-20T12:03:00Z";
  const gone = () => ({ ...state(0), withdrawn: [{ token: "t1", position: 1, at }] });

  /** The server has gone on to case 2: case 1 was withdrawn while it was open. */
  function withdraw() {
    const next = state(1);
    server = { ...next, undo: null, last_receipt: null, withdrawn: gone().withdrawn };
  }

  it("stays on screen with its form until the reader goes on", async () => {
    const { session, screen } = await begin();
    answer(session, "b");
    withdraw();
    await session.refresh();
    await settled();
    expect(session.current?.number).toBe(1);
    expect(session.current?.form.answers).toEqual({ q1: "b" });
    expect(session.withdrawn?.at).toBe(at);
    expect(screen.close).not.toHaveBeenCalled();
    await session.passWithdrawn();
    await settled();
    expect(session.current?.number).toBe(2);
    expect(session.withdrawn).toBeNull();
  });

  it("keeps what was entered as a draft on the server when the reader goes on", async () => {
    const { session, api } = await begin();
    answer(session, "b");
    withdraw();
    await session.refresh();
    await session.passWithdrawn();
    expect(api.saveDraft).toHaveBeenCalledWith("t1", { q1: "b" }, {});
  });

  it("can still be saved, and is then kept as late", async () => {
    const { session, api } = await begin();
    answer(session, "b");
    withdraw();
    await session.refresh();
    const late = receipt(1, { late: true, reason: "The case was withdrawn." });
    api.submit.mockImplementationOnce(async () => ({ receipt: late, state: server }));
    await session.submit();
    await settled();
    expect(session.notice?.title).toBe("Case 1 was kept as late");
    expect(session.current?.number).toBe(2);
  });

  it("does not look like the end when it was the last one", async () => {
    const { session } = await begin();
    server = { ...state(5), undo: null, withdrawn: gone().withdrawn };
    await session.refresh();
    await settled();
    expect(session.finished).toBe(false);
    expect(topBarModel(session, false).place, "a withdrawn case has no number").toBe(
      "Case withdrawn",
    );
    await session.passWithdrawn();
    expect(session.finished).toBe(true);
  });

  it("that is not on screen changes nothing", async () => {
    const { session } = await begin();
    server = { ...state(0), withdrawn: [{ token: "t9", position: 9, at }] };
    await session.refresh();
    await settled();
    expect(session.withdrawn).toBeNull();
    expect(session.current?.number).toBe(1);
  });

  it("is looked for only while the server answers and a case is open", async () => {
    const { session, api } = await begin();
    const before = api.state.mock.calls.length;
    session.look();
    expect(api.state.mock.calls.length).toBe(before + 1);
    session.connectionChanged(false);
    session.look();
    expect(api.state.mock.calls.length).toBe(before + 1);
  });
});

describe("a case read in two steps", () => {
  /** The first case has two steps; the second is not told before the first is saved. */
  function steps(stage: 1 | 2) {
    const fresh = state(0);
    const changes = { stage, stages: 2, token: `t1s${stage}` };
    const sealed = stage === 2 ? [{ form: 0, stage: 1, answers: { q1: "a" } }] : [];
    server = { ...fresh, reading: { ...reading(1, changes), draft: null, sealed } };
    return server;
  }

  it("waits for the server between them, also where another case is loaded", async () => {
    steps(1);
    const { session, queue } = await begin();
    online = false;
    await read(session);
    expect(session.current?.token).toBe("t1s1");
    expect(session.stuck).toBe(true);
    expect(queue.waiting).toHaveLength(1);
  });

  it("shows what was sealed, and starts with an empty form", async () => {
    steps(1);
    const { session, api } = await begin();
    const next = steps(2);
    api.submit.mockResolvedValueOnce({ receipt: receipt(1), state: next });
    await read(session);
    expect(session.current?.token).toBe("t1s2");
    expect(session.current?.start.sealed[0]?.answers).toEqual({ q1: "a" });
    expect(session.current?.form.answers).toEqual({});
  });

  it("keeps the place in the panes from one step to the next", async () => {
    steps(1);
    const { session, api, screen } = await begin();
    api.submit.mockResolvedValueOnce({ receipt: receipt(1), state: steps(2) });
    await read(session);
    expect(screen.open.mock.calls.at(-1)?.at(3)).toEqual(screen.extras());
  });
});

describe("a practice case", () => {
  const told = [{ question: "q1", given: "a", right: "b" }];
  const practice = () => ({
    ...state(0),
    progress: { done: 0, total: 5, part: part(0, 2, { training: true, number: 0 }) },
    reading: { ...reading(1, { training: true }), draft: null, sealed: [] },
  });

  it("stays on screen with what is told of it until the reader goes on", async () => {
    server = practice();
    const { session, api } = await begin();
    api.submit.mockResolvedValueOnce({ receipt: receipt(1, { feedback: told }), state: state(0) });
    await read(session);
    expect(session.feedback?.told).toEqual(told);
    expect(session.justPractised).toBe(false);
    await session.passFeedback();
    expect(session.feedback, "an Enter that follows at once was meant to save").not.toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 520));
    await session.passFeedback();
    expect(session.feedback).toBeNull();
    expect(session.justPractised, "the study begins with a page of its own").toBe(true);
    session.leavePractice();
    expect(session.justPractised).toBe(false);
  });

  it("is not left before the server has told", async () => {
    server = practice();
    const { session } = await begin();
    online = false;
    await read(session);
    expect(session.current?.token).toBe("t1");
    expect(session.stuck).toBe(true);
  });
});

describe("numbers", () => {
  it("follow the server where a withdrawal changed them", async () => {
    const { session } = await begin();
    await read(session);
    const next = state(1, 4);
    server = { ...next, reading: { ...reading(2, { number: 1 }), draft: null, sealed: [] } };
    await session.refresh();
    await settled();
    expect(session.number).toBe(1);
  });
});

describe("what is not asked", () => {
  it("is kept in the form and never sent", async () => {
    const why = question("why", { show_if: { all: [{ question: "q1", is: ["b"] }] } });
    const fresh = state(0);
    const questions = [question("q1"), why];
    server = { ...fresh, forms: fresh.forms.map((form) => ({ ...form, questions })) };
    const { session, api } = await begin();
    session.imageShown();
    for (const [index, option] of [
      [0, "b"],
      [1, "c"],
      [0, "a"],
    ] as const) {
      const form = session.current?.form;
      if (form) session.setForm(choose(form, index, option));
    }
    await session.submit();
    await settled();
    expect(api.submit.mock.calls[0]?.at(1)).toMatchObject({ answers: { q1: "a" } });
    expect(JSON.stringify(api.submit.mock.calls)).not.toContain("why");
  });
});
