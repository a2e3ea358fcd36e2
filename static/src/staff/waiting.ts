import { ANSWERS, openDatabase, transact } from "../shared/database";

/** Says how many answers wait on this computer, in elements with data-waiting-answers. */
export async function showWaitingAnswers(root: ParentNode): Promise<void> {
  const places = [...root.querySelectorAll<HTMLElement>("[data-waiting-answers]")];
  if (places.length === 0) return;
  const database = await openDatabase().catch(() => null);
  if (!database) return;
  const count = await transact(database, ANSWERS, "readonly", (store) => store.count());
  database.close();
  const many = count === 1 ? "1 answer waits" : `${count} answers wait`;
  for (const place of places) {
    place.textContent =
      count === 0
        ? "Nothing waits on this computer"
        : `${many} on this computer. Open the study to send them.`;
    place.classList.toggle("text-wait", count > 0);
  }
}
