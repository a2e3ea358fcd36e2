import { beforeEach, describe, expect, it, vi } from "vitest";
import { NoConnection, ServerError } from "../src/reading/api";
import { AnswerQueue, memoryStore } from "../src/reading/queue";
import { Sender, type SenderApi, type SenderClock } from "../src/reading/sender";
import { reading, receipt, settled, state, submission } from "./fixtures";

class FakeClock implements SenderClock {
  time = 0;
  timers: { readonly at: number; readonly run: () => void; readonly id: number }[] = [];
  private ids = 0;

  now(): number {
    return this.time;
  }

  later(ms: number, run: () => void): number {
    this.timers.push({ at: this.time + ms, run, id: ++this.ids });
    return this.ids;
  }

  cancel(id: number): void {
    this.timers = this.timers.filter((timer) => timer.id !== id);
  }

  /** Lets the next timer run; tells how long it had to wait. */
  async next(): Promise<number> {
    const timer = this.timers.shift();
    if (!timer) throw new Error("Nothing is planned");
    const waited = timer.at - this.time;
    this.time = timer.at;
    timer.run();
    await settled();
    return waited;
  }
}

const accepted = (position: number) => ({ receipt: receipt(position), state: state(position) });

function setUp() {
  const queue = new AnswerQueue(memoryStore(), "owner");
  const api = { submit: vi.fn<SenderApi["submit"]>(), undo: vi.fn<SenderApi["undo"]>() };
  const events = {
    onReceipt: vi.fn(),
    onConflict: vi.fn(),
    onRefused: vi.fn(),
    onSignedOut: vi.fn(),
    onChange: vi.fn(),
  };
  const clock = new FakeClock();
  const sender = new Sender(queue, api, events, clock, () => "new-key");
  return { queue, api, events, clock, sender };
}

let it_: ReturnType<typeof setUp>;

beforeEach(() => {
  it_ = setUp();
});

async function queueUp(...positions: number[]): Promise<void> {
  for (const position of positions) {
    await it_.queue.add(reading(position), submission(`key${position}`), position);
  }
}

describe("sending", () => {
  it("sends in order and removes an answer only with its receipt", async () => {
    const { api, queue, sender, events } = it_;
    await queueUp(1, 2);
    api.submit.mockImplementation(async (token) => {
      expect(queue.find(token)).not.toBeNull();
      return accepted(Number(token.slice(1)));
    });
    sender.kick();
    await settled();
    expect(api.submit.mock.calls.map(([token]) => token)).toEqual(["t1", "t2"]);
    expect(events.onReceipt).toHaveBeenCalledTimes(2);
    expect(queue.all).toEqual([]);
  });

  it("sends one answer at a time however often it is asked to", async () => {
    const { api, sender } = it_;
    await queueUp(1);
    let finish: (reply: ReturnType<typeof accepted>) => void = () => undefined;
    api.submit.mockImplementation(() => new Promise((resolve) => (finish = resolve)));
    sender.kick();
    sender.kick();
    await settled();
    sender.kick();
    await settled();
    expect(api.submit).toHaveBeenCalledTimes(1);
    finish(accepted(1));
    await settled();
    expect(sender.sending).toBeNull();
  });

  it("tries again with growing pauses and the same key and body", async () => {
    const { api, clock, queue, sender } = it_;
    await queueUp(1);
    api.submit.mockRejectedValue(new NoConnection("lost"));
    sender.kick();
    await settled();
    expect(sender.failingSince).toBe(0);
    const waits = [];
    for (let i = 0; i < 7; i++) waits.push(await clock.next());
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    api.submit.mockResolvedValue(accepted(1));
    await clock.next();
    expect(queue.all).toEqual([]);
    expect(sender.failingSince).toBeNull();
    const bodies = api.submit.mock.calls.map(([, body]) => JSON.stringify(body));
    expect(new Set(bodies).size).toBe(1);
  });

  it("waits as long as a busy server asks", async () => {
    const { api, clock, sender } = it_;
    await queueUp(1);
    api.submit.mockRejectedValueOnce(new ServerError(503, "", "busy", null, 7000));
    api.submit.mockResolvedValueOnce(accepted(1));
    sender.kick();
    await settled();
    expect(await clock.next()).toBe(7000);
    expect(api.submit).toHaveBeenCalledTimes(2);
  });
});

describe("refusals", () => {
  it("stops at a lost sign-in and goes on after it", async () => {
    const { api, events, queue, sender } = it_;
    await queueUp(1);
    api.submit
      .mockRejectedValueOnce(new ServerError(401, "signed_out", ""))
      .mockResolvedValueOnce(accepted(1));
    sender.kick();
    await settled();
    expect(events.onSignedOut).toHaveBeenCalledWith(false);
    expect(queue.waiting).toHaveLength(1);
    sender.kick();
    await settled();
    expect(queue.all).toEqual([]);
  });

  it("keeps everything when another user is signed in", async () => {
    const { api, events, queue, sender } = it_;
    await queueUp(1, 2);
    api.submit.mockRejectedValue(new ServerError(403, "other_user", ""));
    sender.kick();
    await settled();
    expect(events.onSignedOut).toHaveBeenCalledWith(true);
    expect(api.submit).toHaveBeenCalledTimes(1);
    expect(queue.waiting).toHaveLength(2);
  });

  it("keeps an answer the server will not take, with the reason, and sends the others", async () => {
    const { api, events, queue, sender } = it_;
    await queueUp(1, 2);
    api.submit
      .mockRejectedValueOnce(new ServerError(400, "invalid_answer", "Unknown option."))
      .mockResolvedValueOnce(accepted(2));
    sender.kick();
    await settled();
    expect(events.onRefused.mock.calls[0]?.[1]).toBe("Unknown option.");
    expect(queue.refused.map(({ reason }) => reason)).toEqual(["Unknown option."]);
    expect(queue.waiting).toEqual([]);
  });

  it("adopts the server's state when the reading was answered elsewhere", async () => {
    const { api, events, queue, sender } = it_;
    await queueUp(1);
    api.submit.mockRejectedValueOnce(
      new ServerError(409, "already_answered", "Answered before.", state(1)),
    );
    sender.kick();
    await settled();
    expect(events.onConflict.mock.calls[0]?.slice(1)).toEqual(["Answered before.", state(1)]);
    expect(queue.all).toEqual([]);
  });
});

describe("a correction of an answer that had arrived after all", () => {
  const reused = new ServerError(409, "key_reused", "", state(1));

  it("is undone there and sent as a new submission", async () => {
    const { api, queue, sender } = it_;
    await queueUp(1);
    await queue.change("key1", { edited: true });
    api.submit.mockRejectedValueOnce(reused).mockResolvedValueOnce(accepted(1));
    api.undo.mockResolvedValueOnce({ state: state(0) });
    sender.kick();
    await settled();
    expect(api.undo).toHaveBeenCalledWith("t1");
    expect(api.submit.mock.calls.map(([, body]) => body.key)).toEqual(["key1", "new-key"]);
    expect(queue.all).toEqual([]);
  });

  it("waits when the undo does not get through", async () => {
    const { api, clock, queue, sender } = it_;
    await queueUp(1);
    await queue.change("key1", { edited: true });
    api.submit.mockRejectedValue(reused);
    api.undo.mockRejectedValueOnce(new NoConnection("lost"));
    sender.kick();
    await settled();
    expect(queue.waiting.map(({ key }) => key)).toEqual(["key1"]);
    expect(clock.timers).toHaveLength(1);
  });
});
