const DATE: Intl.DateTimeFormatOptions = {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
};
const TIME: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", hour12: false };

const FORMATS: Readonly<Record<string, Intl.DateTimeFormatOptions>> = {
  date: DATE,
  time: TIME,
  datetime: { ...DATE, ...TIME },
};

function format(moment: Date, options: Intl.DateTimeFormatOptions): string {
  // "Fri, 20 Nov 2026" is written without its first comma.
  return moment.toLocaleString("en-GB", options).replace(/^(\w{3}),/, "$1");
}

/** Writes times of the page in local time; the title keeps UTC. */
export function localTimes(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLTimeElement>("time[datetime]")) {
    const value = element.dateTime;
    const moment = new Date(value);
    // A bare date has no time zone: it stays as written.
    if (!value.includes("T") || Number.isNaN(moment.getTime())) continue;
    const options = FORMATS[element.dataset.time ?? "datetime"] ?? FORMATS.datetime;
    element.textContent = format(moment, options as Intl.DateTimeFormatOptions);
    element.title = `${format(moment, { ...FORMATS.datetime, timeZone: "UTC" })} UTC`;
  }
}
