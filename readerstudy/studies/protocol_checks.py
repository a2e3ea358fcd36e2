"""The points of the launch checklist about what was written: questions, arms, analysis."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Max

from readerstudy.studies import analysis_plan
from readerstudy.studies.analysis_fit import contradictions, shortfalls
from readerstudy.studies.analysis_situation import situation_of
from readerstudy.studies.answers import BadRule, check_specs
from readerstudy.studies.asking import arms_of, questions_in, spec_of
from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, Check, adds_checks
from readerstudy.studies.models import Question, Study, StudyCase


@adds_checks
def question_checks(study: Study) -> Iterable[Check]:
    questions = list(study.questions.prefetch_related("options"))
    codes = sum(len(question.options.all()) for question in questions)
    fault = _fault_of(study, questions)
    yield Check(
        "Protocol",
        "Questions complete" if not fault else "The questions do not hold together",
        fault or f"{len(questions)} questions, {codes} codes, all with text and keys",
        BLOCKS if fault else PASSED,
    )
    yield Check("Protocol", "Instructions and title written", f"Readers see “{study.reader_title}”")


def _fault_of(study: Study, questions: list[Question]) -> str:
    """Return what is wrong with the questions as a whole; empty if nothing is."""
    if not questions:
        return "A study asks at least one question"
    places = 1 + (study.study_cases.aggregate(last=Max("place"))["last"] or 0)
    try:
        check_specs([spec_of(question, places=places) for question in questions])
    except BadRule as error:
        return str(error)
    silent = [arm for arm in arms_of(study) if not questions_in(study, arm)]
    return f"Nothing is asked in the arm “{silent[0]}”" if silent else ""


@adds_checks
def arm_checks(study: Study) -> Iterable[Check]:
    arms = list(study.arms.all())
    if not arms:
        return
    known, slots = {arm.code for arm in arms}, {slot.code for slot in study.display.slots}
    faults = [
        f"“{arm.name}” shows {code}, which the display does not have"
        for arm in arms
        for code in arm.slots
        if code not in slots
    ] + [
        f"“{question.text}” is asked in {code}, which is no arm"
        for question in study.questions.all()
        for code in question.arms
        if code not in known
    ]
    yield Check(
        "Protocol",
        "Arms do not fit" if faults else f"{len(arms)} arms",
        "; ".join(faults[:3]) or ", ".join(arm.name for arm in arms),
        BLOCKS if faults else PASSED,
    )


@adds_checks
def training_checks(study: Study) -> Iterable[Check]:
    """A threshold without a training block would let nobody through, or everybody."""
    training = study.study_cases.filter(phase=StudyCase.Phase.TRAINING, place=0).count()
    passing = study.plan.qualification
    if passing is not None and not training:
        yield Check(
            "Protocol",
            "A threshold without training cases",
            f"Readers must get {100 * passing:g} % of the training right: choose training cases",
            BLOCKS,
        )
    elif training:
        threshold = "no threshold" if passing is None else f"{100 * passing:g} % right to go on"
        yield Check("Protocol", f"{training} training cases", f"With feedback; {threshold}")


@adds_checks
def analysis_checks(study: Study) -> Iterable[Check]:
    plan = study.analyses
    situation = situation_of(study)
    gaps = analysis_plan.gaps(plan, questions=situation.questions, arms=arms_of(study))
    if gaps:
        yield Check("Analysis", "The plan names what is not there", " ".join(gaps[:3]), BLOCKS)
        return
    if faults := contradictions(plan, situation):
        evidence = " ".join(faults[:3])
        yield Check("Analysis", "The plan does not fit the study", evidence, BLOCKS)
        return
    if short := shortfalls(plan, situation):
        yield Check("Analysis", "Too few readers for a part of the plan", " ".join(short[:3]), LOOK)
    titles = ", ".join(entry.title for entry in plan)
    yield Check(
        "Analysis",
        "Analysis stated" if plan else "No analysis stated",
        titles or "What is computed should be stated before the lock",
        PASSED if plan else LOOK,
    )
