import { liveFigures } from "./figures";

liveFigures(document);
// What is folded on the page is needed on paper.
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((one) => (one.open = true));
});
