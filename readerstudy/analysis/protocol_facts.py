"""From rows to facts: the protocol of a study, its items with their truth, and what was settled."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from readerstudy.adjudication.finding import votable
from readerstudy.adjudication.settling import settled
from readerstudy.adjudication.table import is_adjudicated
from readerstudy.analysis.facts import (
    UNKNOWN,
    Item,
    OptionFacts,
    Protocol,
    QuestionFacts,
    Settled,
)
from readerstudy.reading.models import DisplayForm, EncodedSeries
from readerstudy.studies.models import Question, Study, StudyCase
from readerstudy.truth.feedback import Known, known_of, right_answers
from readerstudy.truth.models import Origin


def protocol_of(study: Study) -> Protocol:
    """Return what was planned, as it holds with all amendments."""
    return Protocol(
        name=study.name,
        questions=tuple(
            _question(one) for one in study.questions.prefetch_related("options").all()
        ),
        arms=tuple(study.arms.values_list("code", "name")),
        plan=study.analyses,
        design=study.plan,
        margin=study.margin,
        places=study.display.places,
        template=study.template,
        hash=study.hash_in_force,
        version=study.version,
        locked_at=study.locked_at.isoformat() if study.locked_at else "",
        unblinded_at=study.unblinded_at.isoformat() if study.unblinded_at else "",
    )


def _question(question: Question) -> QuestionFacts:
    return QuestionFacts(
        code=question.code,
        text=question.text,
        kind=question.kind,
        options=tuple(
            OptionFacts(one.code, one.label, one.anchor) for one in question.options.all()
        ),
        unit=question.unit,
        bound_to=question.bound_to,
        arms=tuple(question.arms),
        truth=question.truth,
        equal=question.equal,
        minimum=question.minimum,
        maximum=question.maximum,
        whole=question.whole,
        required=question.required,
        may_be_not_evaluable=question.may_be_not_evaluable,
        help=question.help,
        show_if=question.show_if,
        region=question.region or {},
    )


def items_of(study: Study, origins: Mapping[Any, Origin]) -> dict[str, Item]:
    """Return every item of the main phase by its code, with what is known of it."""
    rows = study.study_cases.filter(phase=StudyCase.Phase.MAIN)
    by_item: dict[str, list[StudyCase]] = defaultdict(list)
    for row in rows.select_related("case__subject").order_by("item", "place"):
        by_item[row.item].append(row)
    known = known_of([row.case for members in by_item.values() for row in members])
    references = _references(known)
    questions = list(study.questions.exclude(truth={}))
    scales = head_scales(study)
    return {
        code: replace(
            _item(code, members, origins, references, right_answers(questions, cases, known)),
            head_scale=scales.get(cases[0].pk),
        )
        for code, members in by_item.items()
        if (cases := [row.case for row in members])
    }


def head_scales(study: Study) -> dict[Any, float]:
    """Return by case what makes its head as large as the median one, in the first series shown.

    Of volumes the cube root of the volumes' ratio, of single slices the root of the areas'.
    """
    form = DisplayForm.objects.filter(study=study).first()
    if form is None or not form.slots:
        return {}
    first = form.slots[0]
    rows = EncodedSeries.objects.filter(study=study, role=first["role"])
    voxels = {case: facts.get("voxels") for case, facts in rows.values_list("case", "facts")}
    known = {case: float(count) for case, count in voxels.items() if count}
    if not known:
        return {}
    middle = statistics.median(known.values())
    power = 1 / 3 if first["shape"][0] > 1 else 1 / 2
    return {case: (middle / count) ** power for case, count in known.items()}


def _references(known: Known) -> dict[Any, dict[str, str]]:
    found: dict[Any, dict[str, str]] = defaultdict(dict)
    for (case, endpoint), value in known.references.items():
        found[case][endpoint] = value
    return found


def _item(
    code: str,
    members: list[StudyCase],
    origins: Mapping[Any, Origin],
    references: Mapping[Any, Mapping[str, str]],
    right: dict[str, Any],
) -> Item:
    held = [origins.get(row.case_id) for row in members]
    first = members[0].case
    return Item(
        code=code,
        cases=tuple(row.case.code for row in members),
        subject=first.subject.code,
        stratum=first.stratum,
        origins=tuple(one.kind if one else UNKNOWN for one in held),
        generators=tuple(one.generator if one else "" for one in held),
        references=dict(references.get(first.pk, {})),
        right=right,
    )


def settled_of(study: Study) -> dict[str, list[Settled]]:
    """Return what holds after adjudication, by question; empty where nothing was adjudicated."""
    if not is_adjudicated(study):
        return {}
    return {
        question.code: [
            Settled(one.item, one.arm, one.given, one.value, one.how)
            for one in settled(study, question)
        ]
        for question in votable(study)
    }
