"""Does a planned analysis fit the questions, the design and the cases? If not, why.

A paired test needs paired reads, several readers of the same cases need an analysis that knows
it, several cases of one patient need the patient as unit, and a time needs survival analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from readerstudy.studies.analysis_plan import Plan, PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign

MIN_COMPARED = 2
WITH_MARGIN = ("turing", "mrmc-difference", "reference", "preference")
AGAINST_TRUTH = ("reference", "auc", "mrmc-difference")
OVER_READERS = ("mrmc-difference", "auc", "survival", "regression")
SUBJECT_MATTERS = ("turing", "reference", "preference", "score", "comparison", *OVER_READERS)
PAIRED = ("mcnemar", "delong_test", "paired_t")
MULTIREADER = ("obuchowski_rockette", "dorfman_berbaum_metz", "u_statistic")
BESIDE = ("place", "ranking")


@dataclass(frozen=True)
class Asked:
    """What of a question decides how it can be analysed."""

    text: str
    kind: str
    source: str = ""  # of the right answer: "origin", "reference" or nothing
    side: bool = False  # the right answer is one of several images
    bound_to: str = ""
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Situation:
    """What a plan has to fit.

    Attributes
    ----------
    questions : mapping of str to Asked
    arms : tuple of str
    design : ReadingDesign
    readers : int
        How many read; 0 while nobody is invited.
    patients_with_several : int
        Patients with more than one item in the study.
    """

    questions: Mapping[str, Asked]
    arms: tuple[str, ...]
    design: ReadingDesign
    readers: int = 0
    patients_with_several: int = 0


Rule = Callable[[PlannedAnalysis, Situation], Iterable[str]]


def contradictions(plan: Plan, situation: Situation) -> list[str]:
    """Return why each entry of a plan cannot be carried out as it stands, as sentences."""
    return [
        f"“{entry.title}”: {fault}"
        for entry in plan
        if entry.question in situation.questions
        for rule in RULES
        for fault in rule(entry, situation)
    ]


def shortfalls(plan: Plan, situation: Situation) -> list[str]:
    """Return what the present number of readers does not allow, as sentences."""
    if situation.readers != 1:
        return []
    return [
        f"“{entry.title}” needs two readers. With one, the report says that it was not computed."
        for entry in plan
        if entry.endpoint == "agreement" or set(entry.methods) & set(MULTIREADER)
    ]


def _truth(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    """What is compared with the truth needs a question that has one."""
    asked = situation.questions[entry.question]
    if entry.endpoint == "turing" and asked.source != "origin":
        yield f"“{asked.text}” does not ask whether an image is real."
    if entry.endpoint in AGAINST_TRUTH and not asked.source:
        yield (
            f"the protocol does not say what is right for “{asked.text}”. "
            "State it with the question, or choose another endpoint."
        )
    if entry.endpoint == "preference" and asked.kind not in BESIDE:
        yield f"“{asked.text}” does not choose between images beside each other."
    of_outcome = entry.endpoint == "regression" and entry.event
    if entry.positive and not of_outcome and entry.positive not in asked.levels:
        yield f"“{asked.text}” has no level “{entry.positive}”."


def _confidence(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    graded = situation.questions.get(entry.confidence)
    if graded is not None and graded.bound_to != entry.question:
        asked = situation.questions[entry.question]
        yield f"“{graded.text}” does not grade the answer to “{asked.text}”."


def _arms(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    if entry.endpoint != "mrmc-difference":
        return
    if len(set(entry.arms)) < MIN_COMPARED:
        yield "a difference between arms needs two arms, the reference first."
    elif situation.design.schedule == "single" and len(situation.arms) > 1:
        yield (
            "the arms are not read on the same cases, because each case is read once. Choose a "
            "crossover or a sequential reading."
        )


def _pairing(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    """A paired test needs both values from one reader and one patient."""
    paired = sorted(set(entry.methods) & set(PAIRED))
    if paired and entry.endpoint == "reference" and situation.design.plan == "one_version":
        yield (
            f"{paired[0]} is a paired test, but every reader reads one version of each patient. "
            "Choose two_proportions or clustered_proportion with the patient as unit."
        )


def _unit(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    """Readings of one case, and cases of one patient, are not independent."""
    if entry.endpoint not in SUBJECT_MATTERS:
        return
    if entry.unit == "reading" and situation.readers != 1:
        yield (
            "several readers read the same cases, so readings are not independent. Choose the "
            "case or the patient as unit."
        )
    if entry.unit == "reader" and entry.endpoint not in OVER_READERS:
        yield "it is not analysed with the reader as unit. Choose the case or the patient."
    if entry.unit == "case" and situation.patients_with_several:
        count = situation.patients_with_several
        yield (
            f"{count} {'patient has' if count == 1 else 'patients have'} several cases, which "
            "are not independent. Choose the patient as unit."
        )


def _time(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    del situation
    timed = bool(entry.time or entry.event)
    if entry.endpoint == "survival" and not (entry.time and entry.event):
        yield (
            "a survival analysis needs two endpoints of the reference standard: the time, and "
            "whether the event came."
        )
    if timed and entry.endpoint not in ("survival", "regression"):
        yield (
            "a time with censoring is analysed as survival; a share or an area of those who "
            "died by then would drop who was followed for less."
        )


def _limits(entry: PlannedAnalysis, situation: Situation) -> Iterator[str]:
    del situation
    if entry.margin is not None and entry.endpoint not in WITH_MARGIN:
        yield f"“{entry.endpoint_label}” is not judged by a margin; leave it out."
    if entry.threshold is not None and entry.endpoint != "agreement":
        yield f"“{entry.endpoint_label}” has no least agreement; leave it out."
    if entry.stop_below is not None and entry.endpoint != "turing":
        yield "a stop rule is for right calls of real and synthetic alone."


RULES: tuple[Rule, ...] = (_truth, _confidence, _arms, _pairing, _unit, _time, _limits)
