import { confirmForms } from "./confirm";
import { copyButtons } from "./copy";
import { watchJobs } from "./jobs";
import { closeMenus } from "./menus";
import { followCases } from "./panel";
import { chooseCases } from "./selection";
import { localTimes } from "./times";
import { showWaitingAnswers } from "./waiting";

localTimes(document);
confirmForms(document);
copyButtons(document);
watchJobs(document);
closeMenus(document);
chooseCases(document, window.sessionStorage);
followCases(document);
void showWaitingAnswers(document);
