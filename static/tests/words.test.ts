import { describe, expect, it } from "vitest";
import { casesKept, duration, list, readingGoesTo, saveText, timeLeft } from "../src/reading/words";

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
    expect(saveText(2, false)).toBe("2 questions left before saving");
    expect(saveText(1, true)).toBe("1 question left before saving");
    expect(saveText(0, false)).toBe("Save and next case");
    expect(saveText(0, true)).toBe("Save and finish");
  });
});
