import { describe, expect, it } from "vitest";
import {
  casesKept,
  daysUntil,
  duration,
  list,
  placeText,
  readingGoesTo,
  saveText,
  timeLeft,
} from "../src/reading/words";

describe("time left", () => {
  it("says the number and the time at the reader's own pace", () => {
    expect(timeLeft(73, 23)).toBe("73 to read, about 28 min at your pace");
  });

  it("says only the number without a pace", () => {
    expect(timeLeft(24, null)).toBe("24 to read");
  });

  it.each([
    [20, "less than 1 min"],
    [60, "about 1 min"],
    [89 * 60, "about 89 min"],
    [2 * 3600, "about 2 h"],
    [100 * 60, "about 1 h 40 min"],
  ])("%d s is %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});

describe("sentences with numbers", () => {
  it("lists with and", () => {
    expect(list([38])).toBe("38");
    expect(list([38, 39])).toBe("38 and 39");
    expect(list([38, 39, 40])).toBe("38, 39 and 40");
  });

  it("says what is kept and how far reading goes", () => {
    expect(casesKept([38, 39])).toBe(
      "Cases 38 and 39 are kept on this computer and sent when it returns.",
    );
    expect(readingGoesTo(40, 41)).toBe("Case 41 is loaded; after it, reading waits.");
    expect(readingGoesTo(41, null)).toBe("After case 41, reading waits.");
  });

  it("says what is missing before saving", () => {
    expect(saveText(2, 0, "next")).toBe("2 questions left before saving");
    expect(saveText(1, 0, "finish")).toBe("1 question left before saving");
    expect(saveText(1, 1, "next")).toBe("2 questions left before saving");
    expect(saveText(0, 1, "next")).toBe("1 answer to mend before saving");
    expect(saveText(0, 0, "next")).toBe("Save and next case");
    expect(saveText(0, 0, "finish")).toBe("Save and finish");
    expect(saveText(0, 0, "stage")).toBe("Save and seal this step");
  });

  it("never counts a case beyond the last", () => {
    expect(placeText(false, 3, 7)).toBe("Case 3 of 7");
    expect(placeText(false, 8, 7)).toBe("Case 8 of 8");
    expect(placeText(true, 2, 6)).toBe("Practice case 2 of 6");
  });

  it("counts days by midnights", () => {
    const now = new Date(2026, 10, 20, 23, 50).getTime();
    const at = (day: number, hour: number) => new Date(2026, 10, day, hour).toISOString();
    expect(daysUntil(at(20, 23), now)).toBe("today");
    expect(daysUntil(at(21, 0), now)).toBe("tomorrow");
    expect(daysUntil(at(28, 1), now)).toBe("in 8 days");
  });
});
