import { showByOrigin, UploadPage } from "./page";

const form = document.querySelector<HTMLFormElement>("form[data-upload]");
if (form) {
  showByOrigin(form);
  new UploadPage(form);
}
