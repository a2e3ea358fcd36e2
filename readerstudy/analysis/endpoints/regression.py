"""Endpoint "regression": logistic models of the truth from the readers' answers.

Models of real, of synthetic and of both images (after Park et al., Sci Rep 2021): features are
screened one by one, then removed backwards; what counts is the area on patients that the model did
not see. The outcome is the endpoint of the reference standard that ``event`` names; patients with
``cohort`` = validation are held out, without any the models are cross-validated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    PLANNED,
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
    undefined,
)
from readerstudy.analysis.endpoints.regression_data import (
    TOGETHER,
    Patient,
    Sample,
    design_of,
    sample_of,
)
from readerstudy.analysis.endpoints.regression_fit import (
    FOLDS,
    LEAST,
    SCREEN,
    Model,
    corrected_area,
    cross_validated,
    fit,
)
from readerstudy.analysis.endpoints.words import fixed, listed, many, p_value
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

REAL_MODEL, SYNTHETIC_MODEL, BOTH_MODEL = "real", "synthetic", "real and synthetic"
KNOWN = ("univariable", "logistic", "backward_elimination", "delong_test", "youden", "auc")
WALD = "Wald interval and p, Firth’s penalised likelihood where the data are separated"


@dataclass(frozen=True)
class Tried:
    """One model on the held-out patients of one reader, with or without covariates."""

    model: str
    reader: str
    with_covariates: bool
    items: tuple[str, ...]
    truth: tuple[int, ...]
    predictor: tuple[float, ...]
    cut: float

    @property
    def label(self) -> str:
        return f"{self.model}{', with covariates' if self.with_covariates else ''}"


def regression(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the models, what they predict on patients they did not see, and what differs.

    Raises
    ------
    ValueError
        If the outcome is not known, has one value, or too few patients carry a model.
    """
    sample = sample_of(data, entry)
    models, reasons = _models(sample)
    if not models:
        raise ValueError("; ".join(reasons.values()) or "no model could be fitted")
    blocks: list[Block] = [_coefficients(sample, models, entry), _path(models)]
    blocks.append(_training(models, entry))
    held_out = bool(sample.validation)
    tried = _validated(sample, models, entry) if held_out else _crossed(sample, models, entry)
    blocks.append(_performance(tried, entry, held_out=held_out))
    tests = _tests(tried, entry)
    blocks += [_differences(tried, entry)] if tests else []
    blocks.append(_probabilities(tried))
    blocks += [Passage(text) for text in _remarks(sample, models, reasons, entry)]
    return Section(
        code=entry.code,
        title=entry.title,
        tag=PLANNED,
        lead=_lead(tried, tests, held_out=held_out),
        blocks=tuple(blocks),
        tests=tuple(tests),
    )


def _training_sets(sample: Sample) -> dict[str, list[Patient]]:
    """Return who trains each model; the synthetic one takes real patients of the other class."""
    real = [one for one in sample.training if not one.is_synthetic]
    synthetic = [one for one in sample.training if one.is_synthetic]
    sets = {REAL_MODEL: real}
    if synthetic:
        made = {one.outcome for one in synthetic}
        sets[SYNTHETIC_MODEL] = [one for one in real if one.outcome not in made] + synthetic
        sets[BOTH_MODEL] = real + synthetic
    return sets


def _models(sample: Sample) -> tuple[list[Model], dict[str, str]]:
    found, reasons = [], {}
    for name, patients in _training_sets(sample).items():
        try:
            found.append(fit(name, sample, patients, design_of(sample, patients)))
        except ValueError as error:
            reasons[name] = f"model of {name} images: {error}"
    return found, reasons


def _coefficients(sample: Sample, models: Sequence[Model], entry: PlannedAnalysis) -> Table:
    names = dict.fromkeys(name for model in models for name in model.design.names)
    rows = []
    for name in names:
        cells: dict[str, Cell] = {"term": name}
        for place, model in enumerate(models):
            cells |= _term_cells(model, name, place)
        rows.append(Row(cells))
    columns = [Column("term", "Feature", "text")]
    for place, model in enumerate(models):
        group = f"Model of {model.name} images"
        columns += [
            Column(f"one_{place}", "Odds ratio, alone", "estimate", group=group),
            Column(f"p_one_{place}", "p", group=group),
            Column(f"all_{place}", "Odds ratio, final model", "estimate", group=group),
            Column(f"p_all_{place}", "p", group=group),
        ]
    sizes = "; ".join(
        f"{m.name}: {len(m.y)} patients, {int(m.y.sum())} {sample.positive}" for m in models
    )
    return Table(
        code="coefficients",
        title=f"Models of {sample.outcome.replace('_', ' ')}, {sample.positive}",
        columns=tuple(columns),
        rows=tuple(rows),
        method=(
            f"Logistic regression; features with a likelihood-ratio p below {SCREEN:g} alone "
            f"enter, then backward elimination at {SCREEN:g}; {WALD}; answers of {TOGETHER}"
            + (" after consensus" if entry.consensus else ", what most of them gave")
        ),
        n=sizes,
        notes=("p and intervals after a selection are too hopeful.", *_separation(models)),
    )


def _separation(models: Sequence[Model]) -> list[str]:
    parts = [m.name for m in models if m.final is not None and m.final.separated]
    if not parts:
        return []
    return [
        f"Separated, so with Firth’s penalised likelihood: the model of {listed(parts)} images."
    ]


def _term_cells(model: Model, name: str, place: int) -> dict[str, Cell]:
    one, final = model.screened, model.final
    codes = (f"one_{place}", f"p_one_{place}", f"all_{place}", f"p_all_{place}")
    cells: dict[str, Cell] = dict.fromkeys(codes, "")
    if name not in one.terms:
        absent = undefined("this level was not given", "ratio")
        return {**cells, codes[0]: absent}
    cells |= _odds(one, list(one.terms).index(name), codes[:2])
    if final is not None and name in final.terms:
        return cells | _odds(final, list(final.terms).index(name), codes[2:])
    return {**cells, codes[2]: "removed" if model.eliminated is not None else "not entered"}


def _odds(found: Any, place: int, codes: Sequence[str]) -> dict[str, Cell]:
    ratio = Number(
        float(found.odds_ratio[place]),
        "ratio",
        float(found.or_low[place]),
        float(found.or_high[place]),
        reason=found.reason or "",
    )
    return {
        codes[0]: ratio,
        codes[1]: Number(float(found.pvalue[place]), "p", reason=found.reason or ""),
    }


def _path(models: Sequence[Model]) -> Table:
    rows = []
    for model in models:
        steps = model.eliminated.path if model.eliminated is not None else ()
        for number, step in enumerate(steps, start=1):
            rows.append(
                Row(
                    {
                        "model": model.name,
                        "step": count(number),
                        "removed": str(step.removed),
                        "p": Number(float(step.lrt_p), "p", reason=step.reason or ""),
                    }
                )
            )
        kept = ", ".join(model.final.terms[1:]) if model.final is not None else ""
        rows.append(Row({"model": model.name, "step": "kept", "removed": kept or "none", "p": ""}))
    return Table(
        code="elimination",
        title="Backward elimination, step by step",
        columns=(
            Column("model", "Model", "text"),
            Column("step", "Step", "text"),
            Column("removed", "Feature", "text"),
            Column("p", "p of its removal"),
        ),
        rows=tuple(rows),
        method="Likelihood-ratio test of the whole feature",
        n=many(len(models), "model"),
        width="half",
    )


def _training(models: Sequence[Model], entry: PlannedAnalysis) -> Table:
    rows = []
    for model in models:
        apparent, corrected, draws = corrected_area(model, draws=entry.draws, seed=entry.seed)
        final = model.final
        nagelkerke = (
            Number(float(final.nagelkerke), "kappa", reason=final.reason or "")
            if final is not None
            else undefined("no feature entered", "kappa")
        )
        terms = max(len(model.design.names), 1)
        rows.append(
            Row(
                {
                    "model": model.name,
                    "n": count(len(model.y)),
                    "events": count(int(model.y.sum())),
                    "per": Number(min(model.y.sum(), (1 - model.y).sum()) / terms),
                    "r2": nagelkerke,
                    "apparent": Number(apparent, "area"),
                    "corrected": Number(corrected, "area", reason=f"{draws} draws"),
                }
            )
        )
    return Table(
        code="training",
        title="Fit on the training patients",
        columns=(
            Column("model", "Model", "text"),
            Column("n", "Patients"),
            Column("events", "Events"),
            Column("per", "Events per candidate"),
            Column("r2", "Nagelkerke R²"),
            Column("apparent", "Area on its own patients, optimistic"),
            Column("corrected", "Area, corrected for optimism"),
        ),
        rows=tuple(rows),
        method=(
            "Optimism by the bootstrap of patients with the whole selection gone again in each "
            f"draw (Harrell 1996), seed {entry.seed}"
        ),
        n=many(len(models), "model"),
    )


def _validated(sample: Sample, models: Sequence[Model], entry: PlannedAnalysis) -> list[Tried]:
    """Return predictions of held-out patients from each reader's own answers."""
    found = []
    for model in models:
        cut = _best_cut(model)
        for reader in (*sample.readers, *([TOGETHER] if entry.consensus else [])):
            x, kept = model.design.matrix(sample, reader, sample.validation)
            patients = [sample.validation[place] for place in kept]
            if patients:
                found.append(_tried(model, reader, patients, model.predictor(x), cut))
                more = _with_covariates(sample, model, reader, patients, model.predictor(x))
                found += [more] if more else []
    return found


def _tried(
    model: Model, reader: str, patients: Sequence[Patient], predictor: Any, cut: float
) -> Tried:
    return Tried(
        model=model.name,
        reader=reader,
        with_covariates=False,
        items=tuple(one.item for one in patients),
        truth=tuple(one.outcome for one in patients),
        predictor=tuple(float(value) for value in predictor),
        cut=cut,
    )


def _best_cut(model: Model) -> float:
    """Return the cut with the largest Youden index on the training patients."""
    return _youden_cut(model.y, model.predictor(model.x))


def _youden_cut(y: Any, score: Any) -> float:
    if len(np.unique(score)) < 2:
        return 0.0
    return float(stats.youden(y, score).thresholds[0])


def _with_covariates(
    sample: Sample, model: Model, reader: str, patients: Sequence[Patient], predictor: Any
) -> Tried | None:
    """Return predictions with the covariates: both enter a model of the real training patients."""
    known = [not any(map(math.isnan, one.covariates)) for one in patients]
    if not patients[0].covariates or not any(known) or not model.columns:
        return None
    real = [one for one in sample.training if not one.is_synthetic]
    x, kept = model.design.matrix(sample, TOGETHER, real)
    rows = [(real[place], value) for place, value in zip(kept, model.predictor(x), strict=True)]
    rows = [row for row in rows if not any(map(math.isnan, row[0].covariates))]
    y = [one.outcome for one, _ in rows]
    if min(sum(y), len(y) - sum(y)) < LEAST:
        return None
    terms = np.array([[value, *one.covariates] for one, value in rows])
    beta = np.asarray(stats.logistic(y, terms).beta)
    cut = _youden_cut(np.array(y), beta[0] + terms @ beta[1:])
    chosen = [place for place, is_known in enumerate(known) if is_known]
    inside = np.array([[predictor[p], *patients[p].covariates] for p in chosen])
    made = _tried(model, reader, [patients[p] for p in chosen], beta[0] + inside @ beta[1:], cut)
    return Tried(**{**vars(made), "with_covariates": True})


def _crossed(sample: Sample, models: Sequence[Model], entry: PlannedAnalysis) -> list[Tried]:
    """Return predictions of real patients by models that were fitted without them."""
    real = [one for one in sample.training if not one.is_synthetic]
    synthetic = [one for one in sample.training if one.is_synthetic]
    found = []
    for model in models:
        if model.name == SYNTHETIC_MODEL:
            continue
        added = synthetic if model.name == BOTH_MODEL else []
        try:
            predicted = cross_validated(model.name, sample, real, added, seed=entry.seed)
        except ValueError:
            continue
        patients = [one for one in real if one.item in predicted]
        values = [predicted[one.item] for one in patients]
        found.append(_tried(model, TOGETHER, patients, values, _best_cut(model)))
    return found


def _performance(tried: Sequence[Tried], entry: PlannedAnalysis, *, held_out: bool) -> Table:
    level = 1.0 - entry.alpha
    rows = [_performance_row(one, level) for one in tried]
    how = (
        "Patients held out from training, each reader’s own answers"
        if held_out
        else f"{FOLDS}-fold cross-validation with the whole selection in each fold"
    )
    return Table(
        code="performance",
        title="What the models tell of patients that they did not see",
        columns=(
            Column("model", "Model", "text"),
            Column("reader", "Reader", "text"),
            Column("area", "Area under the ROC curve", "estimate"),
            Column("sensitivity", "Sensitivity, %", "estimate"),
            Column("specificity", "Specificity, %", "estimate"),
            Column("accuracy", "Accuracy, %", "estimate"),
            Column("n", "Patients"),
        ),
        rows=tuple(rows),
        method=(
            f"{how}; DeLong interval (1988); sensitivity, specificity and accuracy at the cut "
            "with the largest Youden index on the training patients, exact intervals"
        ),
        n=many(len(tried), "model and reader", "models and readers"),
        notes=("The cut was chosen without the patients of this table.",) if held_out else (),
    )


def _performance_row(one: Tried, level: float) -> Row:
    y, score = np.array(one.truth), np.array(one.predictor)
    found = stats.auc(y, score, level=level)
    calls = (score >= one.cut).astype(int)
    table = stats.confusion(y, calls)
    cells: dict[str, Cell] = {
        "model": one.label,
        "reader": one.reader,
        "area": Number(found.value, "area", found.low, found.high, level, found.reason or ""),
        "n": count(len(y)),
    }
    for code, name in (("sensitivity", "recall"), ("specificity", "specificity")):
        cells[code] = _estimate(getattr(table, name), level)
    cells["accuracy"] = _estimate(table.accuracy, level)
    return Row(cells)


def _estimate(found: Any, level: float) -> Number:
    return Number(found.value, "percent", found.low, found.high, level, found.reason or "")


def _paired(tried: Sequence[Tried]) -> list[tuple[Tried, Tried, Any]]:
    """Return each later model beside the first one on the same patients of the same reader."""
    found = []
    for one in tried:
        first = next(
            (
                other
                for other in tried
                if other.reader == one.reader and other.with_covariates == one.with_covariates
            ),
            one,
        )
        if first is one or first.model == one.model:
            continue
        shared = [item for item in one.items if item in set(first.items)]
        place = {item: n for n, item in enumerate(one.items)}
        other_place = {item: n for n, item in enumerate(first.items)}
        truth = [one.truth[place[item]] for item in shared]
        test = stats.delong_test(
            truth,
            [one.predictor[place[item]] for item in shared],
            [first.predictor[other_place[item]] for item in shared],
        )
        found.append((first, one, test))
    return found


def _tests(tried: Sequence[Tried], entry: PlannedAnalysis) -> list[Test]:
    del entry
    return [
        Test(
            code="main" if not one.with_covariates else "with_covariates",
            what=f"Area, model of {one.label} less model of {first.label}, {one.reader}",
            name="DeLong test of paired areas (1988)",
            unit="patient, held out from training",
            n=f"{found.n_positive} with and {found.n_negative} without the outcome",
            null="both models have the same area",
            assumptions="patients are independent and were not used to fit either model",
            p=found.pvalue,
            symbol="z",
            statistic=found.z,
            reason=found.reason or "" if math.isnan(found.pvalue) else "",
            warnings=found.warnings,
        )
        for first, one, found in _paired(tried)
    ]


def _differences(tried: Sequence[Tried], entry: PlannedAnalysis) -> Table:
    rows = []
    for first, one, found in _paired(tried):
        difference = Number(
            found.difference,
            "difference",
            found.low,
            found.high,
            1.0 - entry.alpha,
            found.reason or "",
        )
        rows.append(
            Row(
                {
                    "what": f"{one.label} less {first.label}",
                    "reader": one.reader,
                    "difference": difference,
                    "p": Number(found.pvalue, "p", reason=found.reason or ""),
                    "n": count(found.n),
                }
            )
        )
    return Table(
        code="differences",
        title="Models compared on the same patients",
        columns=(
            Column("what", "Models", "text"),
            Column("reader", "Reader", "text"),
            Column("difference", "Difference of areas", "estimate"),
            Column("p", "p"),
            Column("n", "Patients"),
        ),
        rows=tuple(rows),
        method="Paired DeLong test (1988), 95 % interval",
        n=many(len(rows), "comparison"),
    )


def _probabilities(tried: Sequence[Tried]) -> Table:
    """Return the predicted probability of every patient by model and reader."""
    truth = {item: y for one in tried for item, y in zip(one.items, one.truth, strict=True)}
    columns = [
        Column(f"p_{place}", f"{one.reader}", group=one.label) for place, one in enumerate(tried)
    ]
    by_item = [dict(zip(one.items, one.predictor, strict=True)) for one in tried]
    rows = []
    for item in sorted(truth):
        cells: dict[str, Cell] = {"case": item, "truth": count(truth[item])}
        for place, predictor in enumerate(by_item):
            value = predictor.get(item, math.nan)
            probability = 1.0 / (1.0 + math.exp(-value)) if not math.isnan(value) else math.nan
            reason = "" if item in predictor else "an answer is missing"
            cells[f"p_{place}"] = Number(probability, "area", reason=reason)
        rows.append(Row(cells))
    return Table(
        code="probabilities",
        title="Predicted probability of each patient",
        columns=(Column("case", "Case", "text"), Column("truth", "Outcome"), *columns),
        rows=tuple(rows),
        method="Final model of each row of the table above",
        n=many(len(rows), "patient"),
    )


def _lead(tried: Sequence[Tried], tests: Sequence[Test], *, held_out: bool) -> tuple[str, ...]:
    where = "on held-out patients" if held_out else "in cross-validation"
    parts = []
    for one in tried:
        if not one.with_covariates:
            value = stats.auc(np.array(one.truth), np.array(one.predictor)).value
            parts.append(f"{one.model} images **{fixed(value, 3)}** ({one.reader})")
    if not parts:
        return ("No model could be tried on patients that it did not see.",)
    lines = [f"Area {where} of the model of {listed(parts)}."]
    main = [test for test in tests if test.code == "main"]
    lines += [f"{test.what}: {p_value(test.p)}." for test in main]
    return tuple(lines)


def _remarks(
    sample: Sample, models: Sequence[Model], reasons: dict[str, str], entry: PlannedAnalysis
) -> list[str]:
    found = [f"**Not computed:** {reason}." for reason in reasons.values()]
    lost = [f"{n} ({reason})" for reason, n in sorted(sample.lost.items())]
    if lost:
        found.append(f"Cases left out: {listed(lost)}.")
    few = [
        m.name for m in models if min(m.y.sum(), len(m.y) - m.y.sum()) < LEAST * len(m.design.names)
    ]
    if few:
        found.append(
            f"Fewer than {LEAST} events for each candidate column in the model of {listed(few)} "
            "images: the selection is unstable."
        )
    if not sample.validation:
        found.append("No patient has the cohort “validation”, so the models are cross-validated.")
    unknown = [name for name in entry.methods if name not in KNOWN]
    if unknown:
        found.append(f"{listed(unknown)}: **not computed**, not a method for regression.")
    return found
