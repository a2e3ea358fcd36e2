import { confirmForms } from "./confirm";
import { copyButtons } from "./copy";
import { watchJobs } from "./jobs";
import { localTimes } from "./times";
import { showWaitingAnswers } from "./waiting";

localTimes(document);
confirmForms(document);
copyButtons(document);
watchJobs(document);
void showWaitingAnswers(document);
