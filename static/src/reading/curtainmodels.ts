/** The pages over the page: start, pause, practice done, washout, end. */
import type { Practice, StudyState, Waiting } from "./contract";
import type { Session } from "./session";
import type { CurtainModel } from "./views/curtains";
import {
  answersWaiting,
  dayText,
  daysUntil,
  pausedText,
  placeText,
  timeLeft,
  timeOfDay,
} from "./words";

export interface CurtainContext {
  readonly begun: boolean;
  readonly home: string;
  readonly begin: () => void;
  readonly goOn: () => void;
  readonly undo: () => void;
  /** Goes to what an amendment changed. */
  readonly readChanges: () => void;
}

const BACK = "Back to my studies";

export function curtainFor(session: Session, context: CurtainContext): CurtainModel | null {
  const { server } = session;
  if (session.feedback) return null;
  if (server.state === "closed" && !session.current) return closed(session, context);
  if (session.finished && server.waiting) return waiting(session, server.waiting, context);
  if (session.finished) return finished(session, context);
  if (!context.begun || session.justPractised) return begin(session, context);
  return session.paused ? paused(session, context) : null;
}

/** "Case 12 of 60: 48 to read, about 20 min at your pace." */
function placeLine(session: Session): string {
  const { part } = session.server.progress;
  const number = session.number ?? part.done + 1;
  const place = placeText(part.training, number, part.total);
  if (part.training) return `${place}.`;
  const several = part.of > 1 ? `Part ${part.number} of ${part.of}. ` : "";
  return `${several}${place}: ${timeLeft(part.total - part.done, part.case_seconds)}.`;
}

/** "5 of 6 answers were right; 80 % are asked for." */
export function practiceLine({ told, right, needed }: Practice): string {
  if (told === 0) return "Practice is done.";
  const asked = needed === null ? "" : `; ${Math.round(needed * 100)} % are asked for`;
  return `${right} of ${told} answers were right${asked}.`;
}

function paragraphs({ study }: StudyState): string[] {
  return study.instructions.split(/\n\s*\n/).filter((text) => text.trim() !== "");
}

function begin(session: Session, { begin: run, home }: CurtainContext): CurtainModel {
  const { server } = session;
  const { practice, progress } = server;
  const practised = practice !== null && !progress.part.training && progress.done === 0;
  const training = progress.part.training;
  return {
    title: practised ? "Practice is done" : server.study.title,
    lines: [
      ...(practised ? [practiceLine(practice)] : []),
      ...(training ? ["Practice first, with the right answer after each case."] : []),
      `${placeLine(session)} You can stop after any case; nothing is lost.`,
    ],
    paragraphs: paragraphs(server),
    primary: { label: practised ? "Begin the study" : "Begin", cap: "⏎", run },
    link: { label: "Leave", href: home },
    wide: true,
  };
}

/** An amendment concerns the readers: nobody goes on without having seen it. */
function amended(session: Session, { readChanges, home }: CurtainContext): CurtainModel {
  return {
    title: "Something about this study has changed",
    lines: [
      "Read what is new before you go on. The case and the half-filled form stay as they are.",
      ...keptLines(session),
    ],
    primary: { label: "Read what has changed", cap: "⏎", run: readChanges },
    link: { label: BACK, href: home },
  };
}

function paused(session: Session, { goOn: run, home }: CurtainContext): CurtainModel {
  const { done, part } = session.server.progress;
  const number = session.number ?? part.done + 1;
  return {
    title: `Paused at ${part.training ? "practice case" : "case"} ${number}`,
    lines: [pausedText(part.training ? part.done : done, session.waiting.length)],
    primary: { label: "Go on", cap: "⏎", run },
    link: { label: "Leave", href: home },
  };
}

function keptLines(session: Session): string[] {
  const waiting = session.waiting.length;
  const receipt = session.receipt ? `Last receipt ${timeOfDay(session.receipt.received_at)}.` : "";
  if (waiting === 0) return [`Nothing waits on this computer. ${receipt}`.trim()];
  return [`${answersWaiting(waiting)} on this computer. Keep this page open until it is sent.`];
}

function undoParts(session: Session, undo: () => void): Pick<CurtainModel, "secondary"> {
  return session.undoOffer() ? { secondary: { label: "Undo", cap: "U", run: undo } } : {};
}

function undoLine(session: Session): string[] {
  const offer = session.undoOffer();
  return offer ? [`Case ${offer.number} can be undone for ${offer.seconds} s with key U.`] : [];
}

function noticeLine({ notice }: Session): string[] {
  return notice ? [`${notice.title}. ${notice.text}`] : [];
}

function waiting(session: Session, why: Waiting, context: CurtainContext): CurtainModel {
  if (why.reason === "amended") return amended(session, context);
  if (why.reason === "qualification") return unqualified(session, context);
  return washout(session, why, context);
}

/** Between two parts: when the next one opens, and what there is to do until then. */
function washout(
  session: Session,
  { opens_at: at, calendar }: Waiting,
  { home, undo }: CurtainContext,
): CurtainModel {
  const { number, of } = session.server.progress.part;
  const when =
    at === null ? "" : `The next part opens ${daysUntil(at, Date.now())}: ${dayText(at)}.`;
  return {
    title: `Part ${number} of ${of} is read`,
    lines: [
      ...(when === "" ? [] : [when]),
      "The pause keeps what you remember of the cases out of the next part. There is nothing to do until then. Do not speak with other readers about the cases.",
      ...keptLines(session),
      ...noticeLine(session),
      ...undoLine(session),
    ],
    ...undoParts(session, undo),
    link: { label: BACK, href: home },
    ...(calendar === undefined
      ? {}
      : { file: { label: "Put the date in my calendar", href: calendar } }),
  };
}

function unqualified(session: Session, { home }: CurtainContext): CurtainModel {
  const { practice } = session.server;
  return {
    title: "Practice is done",
    lines: [
      ...(practice ? [practiceLine(practice)] : []),
      "That is below the share that this study asks for. The people who run it see this and decide how to go on; they write to you. Nothing you answered is lost.",
      ...keptLines(session),
    ],
    link: { label: BACK, href: home },
  };
}

function finished(session: Session, { home, undo }: CurtainContext): CurtainModel {
  const { progress } = session.server;
  const { total } = progress.part;
  const title = total === 1 ? "The case is read" : `All ${total} cases are read`;
  return {
    title,
    lines: [
      "There is nothing more to do here. The people who run the study see that you are done.",
      ...keptLines(session),
      ...noticeLine(session),
      ...undoLine(session),
    ],
    ...undoParts(session, undo),
    link: { label: BACK, href: home },
  };
}

function closed(session: Session, { home }: CurtainContext): CurtainModel {
  const { done, total } = session.server.progress;
  return {
    title: "Reading is closed",
    lines: [
      `No more cases are read here. ${done} of ${total} readings are made and kept.`,
      ...keptLines(session),
    ],
    link: { label: BACK, href: home },
  };
}
