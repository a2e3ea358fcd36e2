import { localTimes } from "../staff/times";
import { announceDisplay } from "./device";
import { fillForm, followKeys, showSharp } from "./page";

/** Asks for the card again when the server learnt only now which display this is. */
async function renewCard(card: HTMLElement): Promise<void> {
  const address = card.dataset.displayCard ?? "";
  const response = await fetch(address, { credentials: "same-origin", cache: "no-store" });
  if (!response.ok || response.redirected) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = await response.text();
  localTimes(fresh.content);
  card.replaceWith(fresh.content);
}

const isNew = announceDisplay();
const card = document.querySelector<HTMLElement>("[data-display-card]");
if (card && isNew) renewCard(card).catch((error: unknown) => console.warn(error));

const form = document.querySelector<HTMLFormElement>("[data-display-form]");
if (form) fillForm(form);

const patch = document.querySelector<HTMLImageElement>("[data-patch]");
if (patch) showSharp(patch);

const answer = document.querySelector<HTMLFormElement>("[data-display-answer]");
if (answer) followKeys(answer);
