import { describe, expect, it } from "vitest";
import { Clock, memoryOf } from "../src/reading/clock";

const START = Date.UTC(2026, 10, 20, 12, 0, 0);
const at = (seconds: number) => START + seconds * 1000;

function times(clock: Clock, seconds: number) {
  const { load_ms, look_ms, idle_ms, away_ms } = clock.read(at(seconds));
  return { load: load_ms, look: look_ms, idle: idle_ms, away: away_ms };
}

describe("parts of a reading", () => {
  it("counts load until the first pane shows, then look", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(2));
    expect(times(clock, 30)).toEqual({ load: 2000, look: 28_000, idle: 0, away: 0 });
  });

  it("counts idle from the 60th second without input", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(0));
    clock.input(at(10));
    expect(times(clock, 100)).toEqual({ load: 0, look: 70_000, idle: 30_000, away: 0 });
  });

  it("counts from the 60th second however often it is read", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(0));
    for (const seconds of [20, 59, 61, 75, 80]) clock.read(at(seconds));
    expect(times(clock, 90)).toEqual({ load: 0, look: 60_000, idle: 30_000, away: 0 });
    clock.input(at(90));
    expect(times(clock, 95)).toEqual({ load: 0, look: 65_000, idle: 30_000, away: 0 });
  });

  it("counts a hidden page as away, never as idle, and starts the idle minute anew", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(0));
    clock.away(at(5));
    clock.back(at(300));
    expect(times(clock, 330)).toEqual({ load: 0, look: 35_000, idle: 0, away: 295_000 });
  });

  it("counts away while loading as away", () => {
    const clock = new Clock(at(0));
    clock.away(at(1));
    clock.back(at(4));
    clock.loaded(at(6));
    expect(times(clock, 7)).toEqual({ load: 3000, look: 1000, idle: 0, away: 3000 });
  });

  it("counts a pause as nothing", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(0));
    clock.pause(at(10));
    clock.resume(at(500));
    expect(times(clock, 510)).toEqual({ load: 0, look: 20_000, idle: 0, away: 0 });
  });

  it("adds up to the time between shown and submitted", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(1.5));
    clock.away(at(20));
    clock.back(at(50));
    const read = clock.read(at(170));
    const span = Date.parse(read.submitted_at) - Date.parse(read.shown_at);
    expect(read.load_ms + read.look_ms + read.idle_ms + read.away_ms).toBe(span);
  });
});

describe("beginning and reloading", () => {
  it("begins when the start page is left, not when the case was loaded behind it", () => {
    const clock = new Clock(at(0));
    clock.pause(at(0));
    clock.loaded(at(3));
    clock.resume(at(40));
    expect(clock.read(at(50)).shown_at).toBe(new Date(at(40)).toISOString());
    expect(times(clock, 50)).toEqual({ load: 0, look: 10_000, idle: 0, away: 0 });
  });

  it("goes on after a reload; the closed page counts as away", () => {
    const before = new Clock(at(0));
    before.loaded(at(1));
    const clock = new Clock(at(30), before.remember(at(21)));
    clock.loaded(at(31));
    expect(clock.read(at(41)).shown_at).toBe(new Date(at(0)).toISOString());
    expect(times(clock, 41)).toEqual({ load: 2000, look: 30_000, idle: 0, away: 9000 });
  });

  it("counts a page closed in a pause as nothing", () => {
    const before = new Clock(at(0));
    before.loaded(at(1));
    before.pause(at(11));
    const clock = new Clock(at(5000), before.remember(at(12)));
    clock.loaded(at(5000));
    expect(times(clock, 5005)).toEqual({ load: 1000, look: 15_000, idle: 0, away: 0 });
  });
});

describe("raw events", () => {
  const events = (clock: Clock, seconds: number) => clock.read(at(seconds)).events;

  it("say when the reader came, looked away, was idle and paused, since the case was shown", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(2));
    clock.away(at(10), "hidden");
    clock.back(at(20));
    clock.input(at(95));
    clock.pause(at(100));
    clock.resume(at(130));
    expect(events(clock, 131)).toEqual([
      [2000, "loaded"],
      [10_000, "hidden"],
      [20_000, "back"],
      [80_000, "idle"],
      [95_000, "active"],
      [95_000, "input", 0, 1],
      [100_000, "pause"],
      [130_000, "resume"],
    ]);
  });

  it("join inputs close to one another into a burst", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(0));
    for (const seconds of [1, 1.5, 2, 3.9, 10]) clock.input(at(seconds));
    expect(events(clock, 12).slice(1)).toEqual([
      [1000, "input", 2900, 4],
      [10_000, "input", 0, 1],
    ]);
  });

  it("survive a reload, which they name", () => {
    const clock = new Clock(at(0));
    clock.loaded(at(1));
    clock.input(at(3));
    const again = new Clock(at(30), clock.remember(at(10)));
    expect(events(again, 31)).toEqual([
      [1000, "loaded"],
      [3000, "input", 0, 1],
      [10_000, "closed"],
      [30_000, "opened"],
    ]);
  });

  it("are bounded, and say how many are missing", () => {
    const clock = new Clock(at(0));
    for (let second = 1; second <= 500; second++) {
      clock.away(at(second));
      clock.back(at(second + 0.5));
    }
    const read = clock.read(at(501));
    expect(read.events).toHaveLength(400);
    expect(read.events_dropped).toBe(600);
    expect(read.rule).toBe("reading-times/3");
  });

  it("go on after an answer is taken back before it was sent; the time between counts as nothing", () => {
    const before = new Clock(at(0));
    before.loaded(at(1));
    const clock = new Clock(at(50), memoryOf(before.read(at(11))));
    clock.loaded(at(50));
    expect(times(clock, 55)).toEqual({ load: 1000, look: 15_000, idle: 0, away: 0 });
    expect(events(clock, 55)).toEqual([
      [1000, "loaded"],
      [11_000, "saved"],
      [50_000, "undone"],
      [50_000, "loaded"],
    ]);
  });

  it("say of a case that loaded behind the start page that it was there from the first", () => {
    const clock = new Clock(at(0));
    clock.pause(at(0));
    clock.loaded(at(3));
    clock.resume(at(40));
    expect(events(clock, 50)).toEqual([[0, "loaded"]]);
  });

  it("begin anew with a reading that was not in view before", () => {
    const clock = new Clock(at(0));
    clock.pause(at(0));
    clock.resume(at(60));
    clock.loaded(at(61));
    expect(clock.read(at(62)).shown_at).toBe(new Date(at(60)).toISOString());
    expect(events(clock, 62)).toEqual([[1000, "loaded"]]);
  });
});
