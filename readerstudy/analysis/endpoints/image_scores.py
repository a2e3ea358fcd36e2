"""Do scores of images say what readers say? Metrics beside answers, per case and per generator.

The open question of Park et al., Korean J Radiol 2022: whether a metric that is computed from
images can stand for a reader study. Nothing here is tested: many metrics meet many answers, so
intervals describe and no p-value decides.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import (
    EXPLORATORY,
    Axis,
    Block,
    Cell,
    Column,
    Figure,
    Number,
    Passage,
    Row,
    Section,
    Table,
    number_of,
    undefined,
)
from readerstudy.analysis.endpoints.reads import is_right
from readerstudy.analysis.endpoints.words import many
from readerstudy.analysis.facts import REAL, SYNTHETIC, Dataset, Item, QuestionFacts, Read

DRAWS, SEED = 1000, 71
MIN_GENERATORS = 4
SHOWN_FIGURES = 3


@dataclass(frozen=True)
class CaseScore:
    """One metric of one generated image, as a case of a study."""

    case: str
    preset: str
    region: str
    metric: str
    value: float

    @property
    def name(self) -> str:
        return f"{self.metric}, {self.region} ({self.preset})"


@dataclass(frozen=True)
class SetScore:
    """One metric of a set of images of one generator."""

    generator: str
    preset: str
    metric: str
    value: float
    low: float = math.nan
    high: float = math.nan
    reason: str = ""

    @property
    def name(self) -> str:
        return f"{self.metric} ({self.preset})"


@dataclass(frozen=True)
class Outcome:
    """What readers said of each synthetic item: the mean over the readers who read it."""

    code: str
    title: str
    values: Mapping[str, float]


def image_scores(
    data: Dataset, cases: Sequence[CaseScore], sets: Sequence[SetScore]
) -> list[Section]:
    """Return what scores and readers have in common, per case and per generator.

    Only items whose first case is synthetic are compared. ``cases`` and ``sets`` may hold scores
    of images that nobody read; they are left out.
    """
    outcomes = outcomes_of(data)
    return [
        _section(
            "image_scores_cases",
            "Scores of an image and what readers said of it",
            _of_cases(data, cases, outcomes),
        ),
        _section(
            "image_scores_generators",
            "Scores of a generator and what readers said of its images",
            _of_generators(data, sets, outcomes),
        ),
    ]


def _section(code: str, title: str, blocks: Sequence[Block]) -> Section:
    return Section(code, title, EXPLORATORY, blocks=tuple(blocks))


def outcomes_of(data: Dataset) -> list[Outcome]:
    """Return every answer that can be a number: called real, right, or a level, by item."""
    found = []
    for question in data.protocol.questions:
        for code, title, value in _measures(question):
            by_item = defaultdict(list)
            for read in _reads(data, question):
                number = value(data.items[read.item], read.answers[question.code])
                if number is not None:
                    by_item[read.item].append(number)
            if by_item:
                means = {item: fmean(values) for item, values in by_item.items()}
                found.append(Outcome(f"{code}_{question.code}", title, means))
    return found


def _reads(data: Dataset, question: QuestionFacts) -> Iterable[Read]:
    for read in data.first_reads:
        item = data.items.get(read.item)
        if item and item.origin == SYNTHETIC and question.code in read.answers:
            yield read


def _measures(question: QuestionFacts) -> list[tuple[str, str, Any]]:
    if question.truth.get("source") == "origin" and set(question.levels) >= {REAL, SYNTHETIC}:
        return [("real", "Share of readers who called it real", _called_real)]
    if question.truth:
        title = f"Share of readers who were right: {question.text}"
        return [("right", title, lambda item, answer: _right(question, item, answer))]
    if question.kind == "ordinal":
        scores = question.scores
        return [("level", f"Mean level: {question.text}", lambda _, answer: scores.get(answer))]
    if question.kind == "number":
        return [("number", f"Mean: {question.text}", lambda _, answer: float(answer))]
    return []


def _called_real(_: Item, answer: Any) -> float:
    return float(answer == REAL)


def _right(question: QuestionFacts, item: Item, answer: Any) -> float | None:
    right = is_right(question, item, answer)
    return None if right is None else float(right)


# Per case --------------------------------------------------------------------------------------


def _of_cases(
    data: Dataset, scores: Sequence[CaseScore], outcomes: Sequence[Outcome]
) -> list[Block]:
    item_of = {case: item.code for item in data.items.values() for case in item.cases[:1]}
    by_metric: dict[str, dict[str, float]] = defaultdict(dict)
    for score in scores:
        if score.case in item_of and math.isfinite(score.value):
            by_metric[score.name][item_of[score.case]] = score.value
    if not by_metric or not outcomes:
        return [Passage(_nothing(by_metric, outcomes))]
    rows = [
        row
        for outcome in outcomes
        for metric, values in sorted(by_metric.items())
        if (row := _correlated(data, outcome, metric, values)) is not None
    ]
    return [_case_table(rows), *_figures(data, outcomes, by_metric)]


def _nothing(metrics: object, outcomes: object) -> str:
    if not outcomes:
        return "No question of this study gives synthetic images a number."
    del metrics
    return (
        "**No score to compare.** No synthetic image of this study was scored on its own. Score "
        "its generation run, paired with the acquired images."
    )


def _correlated(
    data: Dataset, outcome: Outcome, metric: str, values: Mapping[str, float]
) -> dict[str, Cell] | None:
    shared = [item for item in outcome.values if item in values]
    if not shared:
        return None
    found = stats.spearman(
        [values[item] for item in shared],
        [outcome.values[item] for item in shared],
        cluster=[data.items[item].subject for item in shared],
        n_boot=DRAWS,
        seed=SEED,
    )
    return {
        "outcome": outcome.title,
        "metric": metric,
        "rho": number_of(found, "kappa"),
        "images": Number(float(found.n), "count"),
        "patients": Number(float(found.n_clusters), "count"),
    }


def _case_table(rows: Sequence[dict[str, Cell]]) -> Table:
    return Table(
        code="correlations",
        title="Rank correlation over images",
        columns=(
            Column("outcome", "What readers said", "text"),
            Column("metric", "Score of the image", "text"),
            Column("rho", "Spearman’s ρ"),
            Column("interval", "95 % interval", "interval", source="rho"),
            Column("plot", "", "plot", source="rho"),
            Column("images", "Images"),
            Column("patients", "Patients"),
        ),
        rows=tuple(Row(row) for row in rows),
        method=(
            "Spearman’s rank correlation of the score with the mean over the readers of an image; "
            f"percentile interval over {DRAWS:,} draws of patients, seed {SEED}. Exploratory: no "
            "test, no adjustment. ρ of 1 means that the score orders the images as readers do."
        ),
        n="stands in each row",
        notes=(
            "Images of several generators together can correlate although no generator’s own "
            "images do, and the other way round.",
        ),
        axis=Axis(-1.0, 1.0, reference=0.0, title="none"),
    )


def _figures(
    data: Dataset, outcomes: Sequence[Outcome], by_metric: Mapping[str, Mapping[str, float]]
) -> list[Block]:
    outcome = outcomes[0]
    metrics = sorted(by_metric, key=lambda name: -len(by_metric[name]))[:SHOWN_FIGURES]
    return [
        _scatter(data, outcome, metric, by_metric[metric], number)
        for number, metric in enumerate(metrics, start=1)
    ]


def _scatter(
    data: Dataset, outcome: Outcome, metric: str, values: Mapping[str, float], number: int
) -> Figure:
    from readerstudy.stats.figures_scores import scatter

    points = [
        {
            "score": values[item],
            "readers": outcome.values[item],
            "case": item,
            "generator": data.items[item].generator,
        }
        for item in sorted(outcome.values)
        if item in values
    ]
    return Figure(
        code=f"scatter_{number}",
        title=f"{metric} and readers",
        spec=scatter(points, x=metric, y=outcome.title).to_dict(),
        alt=f"{outcome.title} against {metric}, one point an image; the table has the correlation",
        method="One point an image; the mean over its readers.",
        n=many(len(points), "image"),
        width="third",
    )


# Per generator ---------------------------------------------------------------------------------


def _of_generators(
    data: Dataset, sets: Sequence[SetScore], outcomes: Sequence[Outcome]
) -> list[Block]:
    generators = sorted({one.generator for one in data.items.values() if one.generator})
    if not generators or not outcomes:
        return [Passage("No generator’s images were read in this study.")]
    metrics = sorted({one.name for one in sets if one.generator in generators})
    by_name = {(one.generator, one.name): one for one in sets}
    rows = [_generator_row(data, one, metrics, by_name, outcomes) for one in generators]
    blocks: list[Block] = [_generator_table(metrics, outcomes, rows)]
    if metrics:
        blocks.append(_order_table(generators, metrics, by_name, outcomes, rows))
    return blocks


def _generator_row(
    data: Dataset,
    generator: str,
    metrics: Sequence[str],
    by_name: Mapping[tuple[str, str], SetScore],
    outcomes: Sequence[Outcome],
) -> dict[str, Cell]:
    items = [one for one in data.items.values() if one.generator == generator]
    row: dict[str, Cell] = {"generator": generator, "images": Number(float(len(items)), "count")}
    for outcome in outcomes:
        row[outcome.code] = _mean(items, outcome)
    for number, name in enumerate(metrics):
        row[f"metric_{number}"] = _set_number(by_name.get((generator, name)))
    return row


def _mean(items: Sequence[Item], outcome: Outcome) -> Number:
    known = [one for one in items if one.code in outcome.values]
    if not known:
        return undefined("no reads")
    found = stats.clustered_mean(
        [outcome.values[one.code] for one in known], [one.subject for one in known]
    )
    return number_of(found, "percent" if _is_share(outcome) else "kappa")


def _is_share(outcome: Outcome) -> bool:
    return outcome.code.startswith(("real_", "right_"))


def _set_number(score: SetScore | None) -> Number:
    if score is None:
        return undefined("not scored")
    return Number(score.value, "number", score.low, score.high, reason=score.reason)


def _generator_table(
    metrics: Sequence[str], outcomes: Sequence[Outcome], rows: Sequence[dict[str, Cell]]
) -> Table:
    said = (
        Column(one.code, one.title + (", %" if _is_share(one) else ""), "estimate", "", "Readers")
        for one in outcomes
    )
    scored = (
        Column(f"metric_{number}", name, "estimate", "", "Scores of the set")
        for number, name in enumerate(metrics)
    )
    first = (Column("generator", "Generator or checkpoint", "text"), Column("images", "Images"))
    return Table(
        code="generators",
        title="Readers and scores, by generator",
        columns=(*first, *said, *scored),
        rows=tuple(Row(row) for row in rows),
        method=(
            "Readers: mean over the images of a generator of the mean over readers, interval with "
            "the patient as cluster. Scores of a set as they were stored with the generator, "
            "with the interval of their preset."
        ),
        n=many(len(rows), "generator"),
    )


def _order_table(
    generators: Sequence[str],
    metrics: Sequence[str],
    by_name: Mapping[tuple[str, str], SetScore],
    outcomes: Sequence[Outcome],
    rows: Sequence[dict[str, Cell]],
) -> Table:
    made = [
        Row(
            {
                "outcome": outcome.title,
                "metric": name,
                "rho": _order(
                    [by_name.get((one, name)) for one in generators],
                    [row[outcome.code] for row in rows],
                ),
            }
        )
        for outcome in outcomes
        for name in metrics
    ]
    return Table(
        code="order",
        title="Do scores order the generators as readers do?",
        columns=(
            Column("outcome", "What readers said", "text"),
            Column("metric", "Score of the set", "text"),
            Column("rho", "Spearman’s ρ"),
        ),
        rows=tuple(made),
        method=(
            "Spearman’s rank correlation over generators, without an interval: the generators are "
            f"few and not a sample. Below {MIN_GENERATORS} generators it is not stated."
        ),
        n=many(len(generators), "generator"),
        width="half",
    )


def _order(scores: Sequence[SetScore | None], said: Sequence[Cell]) -> Number:
    pairs = [
        (score.value, number.value)
        for score, number in zip(scores, said, strict=True)
        if score is not None and isinstance(number, Number)
    ]
    known = [pair for pair in pairs if all(map(math.isfinite, pair))]
    if len(known) < MIN_GENERATORS:
        return undefined(f"{many(len(known), 'generator')}; at least {MIN_GENERATORS} are needed")
    found = stats.spearman([x for x, _ in known], [y for _, y in known], n_boot=100, seed=SEED)
    return Number(found.value, "kappa", reason=found.reason or "")
