/** Sentences of the reading page that depend on numbers. */

export function timeOfDay(iso: string | number): string {
  return new Date(iso).toLocaleTimeString("en-GB", { hour12: false });
}

export function duration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (seconds < 60) return "less than 1 min";
  if (minutes < 90) return `about ${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return rest === 0 ? `about ${hours} h` : `about ${hours} h ${rest} min`;
}

/** "73 to read, about 28 min at your pace"; without a pace only the number. */
export function timeLeft(remaining: number, caseSeconds: number | null): string {
  if (remaining <= 0) return "all read";
  if (caseSeconds === null) return `${remaining} to read`;
  return `${remaining} to read, ${duration(remaining * caseSeconds)} at your pace`;
}

export function list(items: readonly (string | number)[], word: "and" | "or" = "and"): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${word} ${items.at(-1)}`;
}

export function casesKept(positions: readonly number[]): string {
  if (positions.length === 0) return "Answers are kept on this computer and sent when it returns.";
  const many = positions.length > 1;
  const cases = `${many ? "Cases" : "Case"} ${list(positions)}`;
  return `${cases} ${many ? "are" : "is"} kept on this computer and sent when it returns.`;
}

/** How far reading can go on without a connection. */
export function readingGoesTo(current: number | null, nextLoaded: number | null): string {
  if (current === null) return "Reading goes on when the connection returns.";
  if (nextLoaded !== null) return `Case ${nextLoaded} is loaded; after it, reading waits.`;
  return `After case ${current}, reading waits.`;
}

/** What Enter does with the case on screen. */
export type SaveStep = "next" | "part" | "finish" | "stage" | "answer";

const SAVE: Readonly<Record<SaveStep, string>> = {
  next: "Save and next case",
  part: "Save and end this part",
  finish: "Save and finish",
  stage: "Save and seal this step",
  answer: "Save and see the answer",
};

/** What the save button says: what is missing or to be mended, or what it does. */
export function saveText(missing: number, wrong: number, step: SaveStep): string {
  const left = missing + wrong;
  if (left === 0) return SAVE[step];
  if (missing === 0)
    return `${wrong === 1 ? "1 answer" : `${wrong} answers`} to mend before saving`;
  return `${left === 1 ? "1 question" : `${left} questions`} left before saving`;
}

/** "Case 12 of 60", of a practice block or of the study. */
export function placeText(training: boolean, number: number, total: number): string {
  return `${training ? "Practice case" : "Case"} ${number} of ${Math.max(number, total)}`;
}

export function answersWaiting(count: number): string {
  return count === 1 ? "1 answer waiting" : `${count} answers waiting`;
}

export function pausedText(saved: number, waiting: number): string {
  const answers = saved === 1 ? "1 answer saved" : `${saved} answers saved`;
  const rest = waiting === 0 ? "none waiting" : `${waiting} waiting on this computer`;
  return `${answers}, ${rest}. The clock has stopped.`;
}

/** "Friday, 18 December 2026", in the time of this computer. */
export function dayText(iso: string): string {
  return new Date(iso).toLocaleDateString("en-GB", {
    weekday: "long",
    day: "numeric",
    month: "long",
    year: "numeric",
  });
}

/** "in 12 days", counted in whole days from midnight to midnight. */
export function daysUntil(iso: string, now: number): string {
  const midnight = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(Date.parse(iso)) - midnight(now)) / 86_400_000);
  if (days <= 0) return "today";
  return days === 1 ? "tomorrow" : `in ${days} days`;
}
