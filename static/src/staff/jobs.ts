import { localTimes } from "./times";

export interface JobStatus {
  readonly state: string;
  readonly step: number;
  readonly of: number;
  readonly message: string;
  readonly finished: boolean;
}

const INTERVAL_MS = 1000;
const LONGEST_INTERVAL_MS = 15_000;
const REFRESH_MS = 10_000;

/** Follows each element with data-job-url until its job has finished. */
export function watchJobs(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-job-url]")) {
    if (element.dataset.jobWatched) continue;
    element.dataset.jobWatched = "1";
    void watch(element);
  }
}

async function watch(element: HTMLElement): Promise<void> {
  let interval = INTERVAL_MS;
  let refreshed = Date.now();
  let state = element.dataset.jobState;
  while (element.isConnected) {
    const status = await ask(element.dataset.jobUrl as string);
    if (status) showStatus(element, status);
    if (status?.finished) return reload(element.dataset.jobReload);
    const begun = hasChanged(state, status);
    state = status?.state ?? state;
    if (element.dataset.jobRefresh && (begun || Date.now() - refreshed >= REFRESH_MS)) {
      refreshed = Date.now();
      await refresh(element.dataset.jobRefresh);
    }
    interval = status ? INTERVAL_MS : Math.min(LONGEST_INTERVAL_MS, interval * 2);
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

/** Renews a part of the page; the whole of it if no work goes on there any more. */
async function refresh(selector: string): Promise<void> {
  const renewed = await replace(selector);
  if (renewed && !document.querySelector(`${selector} [data-job-url]`)) window.location.reload();
}

/** Has a job gone into another state since it was last asked for? */
function hasChanged(before: string | undefined, status: JobStatus | null): boolean {
  return status !== null && before !== undefined && status.state !== before;
}

async function ask(url: string): Promise<JobStatus | null> {
  const headers = { Accept: "application/json" };
  const response = await fetch(url, { headers, cache: "no-store" }).catch(() => null);
  return response?.ok ? ((await response.json()) as JobStatus) : null;
}

export function showStatus(element: HTMLElement, status: JobStatus): void {
  element.dataset.jobState = status.state;
  const message = element.querySelector(".job__message");
  if (message && message.textContent !== status.message) message.textContent = status.message;
  const bar = element.querySelector("progress");
  if (!bar) return;
  bar.max = Math.max(1, status.of);
  bar.value = status.step;
}

/** Replaces a part of the page by its present state, or loads the whole page again. */
async function reload(selector: string | undefined): Promise<void> {
  if (!selector || !(await replace(selector))) window.location.reload();
}

/** Replaces a part of the page by its present state; false if that cannot be had. */
async function replace(selector: string): Promise<boolean> {
  const old = document.querySelector(selector);
  if (!old) return false;
  const response = await fetch(window.location.href, { cache: "no-store" }).catch(() => null);
  if (!response?.ok) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector(selector);
  if (!fresh) return false;
  old.replaceWith(fresh);
  localTimes(fresh);
  watchJobs(fresh);
  return true;
}
