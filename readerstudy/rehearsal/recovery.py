"""Planted against recovered: each planned endpoint, estimated from the simulated data set.

The estimates are those of the statistics package on the reads of the export; the planted values
are closed forms of the virtual readers (planted.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.datasets import Dataset, Read
from readerstudy.rehearsal import planted
from readerstudy.rehearsal.assumptions import Assumptions
from readerstudy.rehearsal.crib import Crib
from readerstudy.rehearsal.virtual_readers import Aim, VirtualReader
from readerstudy.stats.mrmc_planning import pilot_components
from readerstudy.stats.mrmc_results import MrmcResult
from readerstudy.stats.results import json_safe
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.asking import arms_of
from readerstudy.studies.models import Question

COMPONENTS = {
    "test_reader": "test:reader",
    "error": "error",
    "cov1": "cov1",
    "cov2": "cov2",
    "cov3": "cov3",
    "pilot_cases": "n_cases",
}
NO_COMPARISON = "no difference between real and synthetic was planted, and consensus is for people"


@dataclass(frozen=True)
class Recovered:
    """One endpoint: what was planted and what the simulated study found."""

    title: str
    measure: str
    primary: bool
    estimate: float
    low: float
    high: float
    planted: float
    n: int
    method: str
    reason: str = ""
    components: dict[str, float] | None = None  # of variance, as a plan of another study takes them

    @property
    def width(self) -> float:
        """Width of the interval."""
        return self.high - self.low

    @property
    def covers(self) -> bool | None:
        """Does the interval hold the planted value? None where one of them is missing."""
        if not all(map(math.isfinite, (self.low, self.high, self.planted))):
            return None
        return self.low <= self.planted <= self.high

    def document(self) -> dict[str, Any]:
        """Return the row as JSON."""
        document: dict[str, Any] = json_safe(asdict(self))
        return document | json_safe({"width": self.width}) | {"covers": self.covers}


@dataclass(frozen=True)
class Material:
    """Everything that an estimate of a dry run is made from."""

    data: Dataset
    crib: Crib
    stated: Assumptions
    readers: Sequence[VirtualReader]

    def question(self, code: str) -> Question:
        """Return a question by its code."""
        return self.data.study.questions.prefetch_related("options").get(code=code)

    def reads(self, code: str, arm: str | None = None) -> list[Read]:
        """Return the first readings that answer a question, of one arm or of all."""
        return [
            read
            for read in self.data.reads
            if code in read.answers and read.repeat == 0 and arm in (None, read.arm)
        ]

    def aim(self, read: Read, code: str) -> Aim:
        """Return what was right for a read."""
        return self.crib.aims[read.item].get(code, Aim())


def recover(material: Material) -> list[Recovered]:
    """Return one or more rows for each planned endpoint, and the sensitivity of each reader."""
    rows: list[Recovered] = []
    for entry in material.data.study.analyses:
        rows += _entry_rows(material, entry)
    return [*rows, *_sensitivities(material)]


def _entry_rows(material: Material, entry: PlannedAnalysis) -> list[Recovered]:
    try:
        return list(ESTIMATES[entry.endpoint](material, entry))
    except ValueError as error:
        return [_undefined(entry, "", str(error))]


def _undefined(entry: PlannedAnalysis, measure: str, reason: str) -> Recovered:
    nan = math.nan
    return Recovered(entry.title, measure, entry.primary, nan, nan, nan, nan, 0, "", reason)


def _row(entry: PlannedAnalysis, measure: str, found: Any, planted_value: float) -> Recovered:
    return Recovered(
        title=entry.title,
        measure=measure,
        primary=entry.primary,
        estimate=found.value,
        low=found.low,
        high=found.high,
        planted=planted_value,
        n=getattr(found, "n", 0),
        method=getattr(found, "method", ""),
        reason=found.reason or "",
    )


def _is_right(material: Material, read: Read, code: str) -> bool:
    aim, given = material.aim(read, code), read.answers[code]
    if aim.member is not None:
        return bool(given["members"] == [aim.member])
    return bool(given == aim.right)


def _right_calls(material: Material, entry: PlannedAnalysis) -> Iterator[Recovered]:
    """Estimate the share of right calls of real and synthetic, or against the reference."""
    code, question = entry.question, material.question(entry.question)
    reads = material.reads(code)
    right = [float(_is_right(material, read, code)) for read in reads]
    margin = entry.margin if entry.endpoint == "turing" else None
    found = stats.clustered_against(right, [read.item for read in reads], margin=margin)
    yield _row(entry, "Share of right calls", found, _planted_right(material, question, reads))
    graded = _confidence_of(material, entry)
    if graded is not None and question.kind == Question.Kind.SINGLE:
        yield from _areas(material, entry, graded)


def _planted_right(material: Material, question: Question, reads: Sequence[Read]) -> float:
    if question.kind == Question.Kind.PLACE:
        places = material.data.study.display.places
        return math.nan if question.equal else planted.right_choices(_skills(material), places)
    aims = [material.aim(read, question.code) for read in reads]
    if not all(aim.signal for aim in aims):
        known = math.sqrt(material.stated.agreement)
        return known + (1 - known) / question.options.count()
    shares = []
    by_code = {reader.code: reader for reader in material.readers}
    arms = arms_of(material.data.study)
    for read, aim in zip(reads, aims, strict=True):
        reader = by_code[read.reader]
        distance = reader.separation(aim, read.arm, arms.index(read.arm))
        chance = planted.hit if aim.right == aim.signal else planted.rejection
        shares.append(chance(distance, reader.skill.criterion))
    return float(np.mean(shares))


def _skills(material: Material) -> list[Any]:
    return planted.skills(material.readers)


def _confidence_of(material: Material, entry: PlannedAnalysis) -> Question | None:
    questions = material.data.study.questions.prefetch_related("options")
    bound = questions.filter(kind=Question.Kind.CONFIDENCE, bound_to=entry.question)
    return bound.filter(code=entry.confidence).first() or bound.first()


def _score(read: Read, aim: Aim, code: str, graded: Question | None) -> float:
    """Return the answer as a rating: the confidence, counted down where the signal was denied."""
    sign = 1 if read.answers[code] == aim.signal else -1
    if graded is None:
        return float(sign)
    given = read.answers[graded.code]
    codes = [option.code for option in graded.options.all()]
    return float(sign * (codes.index(given) + 1 if codes else given + 1))


def _mrmc(material: Material, entry: PlannedAnalysis, graded: Question | None) -> Any:
    code = entry.question
    arms = entry.arms or tuple(arms_of(material.data.study))
    reads = [
        read
        for read in material.reads(code)
        if read.arm in arms and (graded is None or graded.code in read.answers)
    ]
    aims = [material.aim(read, code) for read in reads]
    if not reads or not all(aim.signal for aim in aims):
        raise ValueError("its truth has more than two classes")
    random = "readers and cases" if len(material.readers) > 1 else "cases"
    return stats.obuchowski_rockette(
        reader=[read.reader for read in reads],
        test=[read.arm for read in reads],
        case=[read.case for read in reads],
        truth=[int(aim.right == aim.signal) for aim in aims],
        score=[_score(r, a, code, graded) for r, a in zip(reads, aims, strict=True)],
        random=random,
        missing="omit",
    )


def _levels(graded: Question | None) -> int | None:
    if graded is None:
        return 1
    return graded.options.count() or None


def _areas(
    material: Material, entry: PlannedAnalysis, graded: Question | None
) -> Iterator[Recovered]:
    """Estimate the area under the curve of each arm, averaged over readers."""
    found = _mrmc(material, entry, graded)
    arms = arms_of(material.data.study)
    origin = material.question(entry.question).truth.get("source") == "origin"
    for mean in found.means:
        value = planted.population_auc(
            material.stated, arms.index(mean.label), origin=origin, levels=_levels(graded)
        )
        named = f"Area under the curve, {mean.label}" if len(arms) > 1 else "Area under the curve"
        yield _row(entry, named, mean, value)


def _difference(material: Material, entry: PlannedAnalysis) -> Iterator[Recovered]:
    graded = _confidence_of(material, entry)
    yield from _areas(material, entry, graded)
    found = _mrmc(material, entry, graded)
    arms = arms_of(material.data.study)
    first, second = entry.arms or tuple(arms[:2])
    areas = [
        planted.population_auc(
            material.stated, arms.index(arm), origin=False, levels=_levels(graded)
        )
        for arm in (second, first)
    ]
    named = f"Difference, {second} less {first}"
    made = _row(entry, named, _less(found, second, first), areas[0] - areas[1])
    yield replace(made, components=_components(found))


def _less(found: MrmcResult, second: str, first: str) -> Any:
    """Return the difference of two arms the way round that is wanted."""
    for row in found.differences:
        if row.label == (second, first):
            return row
        if row.label == (first, second):
            return replace(row, value=-row.value, low=-row.high, high=-row.low)
    raise ValueError(f"the arms {second} and {first} were not both read")


def _components(found: MrmcResult) -> dict[str, float] | None:
    """Return the variance components as a plan takes them; None where one is undefined."""
    try:
        known = pilot_components(found)
    except ValueError:
        return None
    if not all(map(math.isfinite, known.values())):
        return None
    return {name: known[key] for name, key in COMPONENTS.items()}


def _agreement(material: Material, entry: PlannedAnalysis) -> Iterator[Recovered]:
    """Estimate kappa between readers, in the first arm that the entry names."""
    question = material.question(entry.question)
    arm = (entry.arms or tuple(arms_of(material.data.study)))[0]
    reads = material.reads(question.code, arm)
    codes = [reader.code for reader in material.readers]
    rows: dict[str, list[Any]] = {}
    for read in reads:
        row = rows.setdefault(read.item, [None] * len(codes))
        row[codes.index(read.reader)] = _category(question, read.answers[question.code])
    if len(codes) < 2:
        raise ValueError("agreement needs two readers")
    scale = _scale(question, material.data.study.display.places)
    complete = [row for row in rows.values() if None not in row]
    if len(complete) < 2:
        matrix = np.array(list(rows.values()), dtype=object)
        alpha = stats.krippendorff_alpha(matrix, categories=scale)
        yield _row(entry, "Krippendorff’s alpha", alpha, math.nan)
        return
    ordered = question.kind == Question.Kind.ORDINAL
    weights = "quadratic" if ordered else None
    found = stats.light_kappa(np.array(complete), categories=scale, weights=weights)
    name = "Mean kappa of pairs" + (", quadratic weights" if ordered else "")
    yield _row(entry, name, found, _planted_kappa(material, question, arm))


def _category(question: Question, given: Any) -> str:
    if question.kind == Question.Kind.PLACE:
        return str(given["members"][0]) if given["members"] else "equal"
    return str(given)


def _scale(question: Question, places: int) -> list[str]:
    if question.kind == Question.Kind.PLACE:
        return [*map(str, range(places)), *(["equal"] if question.equal else [])]
    return [option.code for option in question.options.all()]


def _planted_kappa(material: Material, question: Question, arm: str) -> float:
    stated, kind = material.stated, question.kind
    if kind == Question.Kind.PLACE and (question.equal or material.data.study.display.places > 2):
        return math.nan
    if not question.truth:
        if kind == Question.Kind.ORDINAL:
            return planted.ordinal_kappa(stated, _skills(material), question.options.count())
        return planted.nominal_kappa(stated) if kind == Question.Kind.SINGLE else math.nan
    aims = [one[question.code] for one in material.crib.aims.values()]
    number = arms_of(material.data.study).index(arm)
    if kind == Question.Kind.PLACE:
        calls = [
            (one.dprime / math.sqrt(2), -one.dprime / math.sqrt(2)) for one in _skills(material)
        ]
        share = np.mean([aim.member == 1 for aim in aims])
    elif all(aim.signal for aim in aims):
        far = [reader.separation(aims[0], arm, number) / 2 for reader in material.readers]
        cuts = [one.criterion for one in _skills(material)]
        calls = [(half - cut, -half - cut) for half, cut in zip(far, cuts, strict=True)]
        share = np.mean([aim.right == aim.signal for aim in aims])
    else:
        return planted.nominal_kappa(stated)
    correlation = stated.case_share + stated.arm_case_share
    return planted.call_kappa(calls, correlation=correlation, share_signal=float(share))


def _scores(material: Material, entry: PlannedAnalysis) -> Iterator[Recovered]:
    """Estimate the mean level, counted from 0, with the item as the unit."""
    question = material.question(entry.question)
    codes = [option.code for option in question.options.all()]
    by_item: dict[str, list[int]] = {}
    for read in material.reads(question.code):
        by_item.setdefault(read.item, []).append(codes.index(read.answers[question.code]))
    means = [float(np.mean(levels)) for levels in by_item.values()]
    found = stats.paired_t(means, [0.0] * len(means))
    value = planted.mean_level(_skills(material), len(codes)) if not question.truth else math.nan
    yield Recovered(
        title=entry.title,
        measure=f"Mean level, 0 to {len(codes) - 1}",
        primary=entry.primary,
        estimate=found.difference,
        low=found.low,
        high=found.high,
        planted=value,
        n=len(means),
        method="mean over items, Student's t interval, these readers",
        reason=found.reason or "",
    )


def _preference(material: Material, entry: PlannedAnalysis) -> Iterator[Recovered]:
    reads = [r for r in material.reads(entry.question) if r.answers[entry.question]["members"]]
    first = [float(read.answers[entry.question]["members"][0] == 0) for read in reads]
    found = stats.clustered_against(first, [read.item for read in reads])
    yield _row(entry, "First member preferred", found, 1 / material.data.study.display.places)


def _comparison(material: Material, entry: PlannedAnalysis) -> Iterator[Recovered]:
    del material
    yield _undefined(entry, "", NO_COMPARISON)


ESTIMATES: dict[str, Callable[[Material, PlannedAnalysis], Iterator[Recovered]]] = {
    "turing": _right_calls,
    "reference": _right_calls,
    "agreement": _agreement,
    "preference": _preference,
    "mrmc-difference": _difference,
    "score": _scores,
    "comparison": _comparison,
}


def _sensitivities(material: Material) -> Iterator[Recovered]:
    """Estimate d′ of each reader where real or synthetic is asked."""
    for question in material.data.study.questions.prefetch_related("options"):
        if question.truth.get("source") != "origin" or question.kind != Question.Kind.SINGLE:
            continue
        for reader in material.readers:
            reads = [r for r in material.reads(question.code) if r.reader == reader.code]
            yield _sensitivity(material, question, reader, reads)


def _sensitivity(
    material: Material, question: Question, reader: VirtualReader, reads: Sequence[Read]
) -> Recovered:
    cells = {(truth, said): 0 for truth in (True, False) for said in (True, False)}
    for read in reads:
        aim = material.aim(read, question.code)
        cells[aim.right == aim.signal, read.answers[question.code] == aim.signal] += 1
    found = stats.dprime(
        cells[True, True], cells[True, False], cells[False, True], cells[False, False]
    )
    return Recovered(
        title=f"Sensitivity of {reader.code}",
        measure="d′",
        primary=False,
        estimate=found.dprime,
        low=found.low,
        high=found.high,
        planted=reader.skill.dprime,
        n=len(reads),
        method=found.method,
        reason=found.reason or "",
    )
