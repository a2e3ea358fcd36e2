import { openDatabase } from "../shared/database";
import { h } from "../shared/dom";
import { loadBackend } from "../viewer/backend";
import { CaseCache } from "../viewer/cache";
import { checkChunks } from "../viewer/plan";
import { Api, NoConnection, ServerError } from "./api";
import { App } from "./app";
import type { StudyState } from "./contract";
import { Drafts } from "./drafts";
import { AnswerQueue, databaseStore, memoryStore } from "./queue";
import { Curtain } from "./views/curtains";

const RETRY_MS = 5000;

function explain(error: unknown): string {
  if (error instanceof NoConnection) return "The server cannot be reached. It is tried again.";
  return error instanceof Error ? error.message : String(error);
}

/** Asks until the study arrives; says meanwhile why it has not. */
async function untilLoaded(root: HTMLElement, api: Api, home: string): Promise<StudyState> {
  const curtain = new Curtain();
  for (;;) {
    try {
      return await api.state();
    } catch (error) {
      if (error instanceof ServerError && error.status === 401) window.location.reload();
      root.replaceChildren(curtain.element);
      curtain.show({
        title: "The study did not arrive",
        lines: [explain(error), "Answers given before are kept on this computer."],
        link: { label: "Back to my studies", href: home },
      });
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function boot(root: HTMLElement): Promise<void> {
  const { enrolment = "", signedInAs = "", user = signedInAs, home = "/" } = root.dataset;
  const owner = `${enrolment}|${signedInAs}`;
  const api = new Api(enrolment);
  const database = await openDatabase().catch((error: unknown) => {
    console.warn("Answers cannot be kept beyond this page:", error);
    return null;
  });
  const queue = new AnswerQueue(database ? databaseStore(database) : memoryStore(), owner);
  const [makeBackend, state] = await Promise.all([
    loadBackend(),
    untilLoaded(root, api, home),
    queue.load(),
  ]);
  for (const { chunks, shape } of state.forms.flatMap(({ layout }) => layout.slots)) {
    checkChunks(chunks, shape[0]);
  }
  const app = new App(root, state, {
    api,
    queue,
    makeBackend,
    cache: new CaseCache(),
    drafts: new Drafts(database, owner, (token, answers, viewer) =>
      api.saveDraft(token, answers, viewer),
    ),
    settings: {
      home,
      userName: user,
      sittingKey: `begun ${owner}`,
      keepsAnswers: database !== null,
    },
  });
  await app.start();
}

const root = document.getElementById("reading");
if (root) {
  boot(root).catch((error: unknown) => {
    console.error(error);
    root.replaceChildren(
      h(
        "p",
        { class: "notice notice--stop" },
        `The reading page could not start: ${explain(error)}`,
      ),
    );
  });
}
