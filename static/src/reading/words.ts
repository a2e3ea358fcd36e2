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
export function timeLeft(remaining: number, medianSeconds: number | null): string {
  if (remaining <= 0) return "all read";
  if (medianSeconds === null) return `${remaining} to read`;
  return `${remaining} to read, ${duration(remaining * medianSeconds)} at your pace`;
}

export function list(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
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

export function saveText(missing: number, last: boolean): string {
  if (missing === 1) return "1 question left before saving";
  if (missing > 1) return `${missing} questions left before saving`;
  return last ? "Save and finish" : "Save and next case";
}

export function answersWaiting(count: number): string {
  return count === 1 ? "1 answer waiting" : `${count} answers waiting`;
}

export function pausedText(saved: number, waiting: number): string {
  const answers = saved === 1 ? "1 answer saved" : `${saved} answers saved`;
  const rest = waiting === 0 ? "none waiting" : `${waiting} waiting on this computer`;
  return `${answers}, ${rest}. The clock has stopped.`;
}
