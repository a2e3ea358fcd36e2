"""Figures of the ROC curves of each arm, thresholds in the words of the form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import Figure
from readerstudy.analysis.endpoints.graded import Graded
from readerstudy.analysis.endpoints.words import fixed, many
from readerstudy.stats.figure_data import ReaderCurve
from readerstudy.stats.figures_roc import NAMED_READERS, arm_roc, average_of

METHOD = (
    "Empirical ROC curves. Thick: average of the readers at equal specificity; it describes "
    "these readers, inference stands in the table"
)


def threshold_words(block: Graded, score: float) -> str:
    """Say from which answer on a case counts as positive at the threshold of a score."""
    positive, negative = block.label(block.positive), block.label(block.negative)
    if block.confidence is None:
        return f"called {positive}"
    levels = block.confidence.options
    if not levels:
        return f"score {score:g} of {block.highest:g}"
    place = round(score) - len(levels) - 1
    if place == 0:
        return f"every call of {positive}"
    if place > 0:
        surer = " or surer" if place < len(levels) - 1 else ""
        return f"{positive}, {levels[place].label}{surer}"
    less = " or less sure" if place < -1 else ""
    return f"{negative}, {levels[-place - 1].label}{less}, and every call of {positive}"


def curves_of(block: Graded, arm: int) -> tuple[list[ReaderCurve], list[list[str]]]:
    """Return the curve of each reader who read both classes, with the words of its points."""
    curves, words = [], []
    for number, reader in enumerate(block.readers):
        score = block.score[arm, number]
        seen = ~np.isnan(score)
        found = stats.roc_curve(block.truth[seen], score[seen])
        if np.isnan(found.sensitivity).any() or not seen.any():
            continue
        observed = np.unique(score[seen])
        next_up = np.searchsorted(observed, found.threshold)
        curves.append(ReaderCurve(reader, block.arms[arm], found.sensitivity, found.specificity))
        words.append(
            [
                threshold_words(block, observed[place])
                if math.isfinite(threshold) and place < observed.size
                else ""
                for threshold, place in zip(found.threshold.tolist(), next_up.tolist(), strict=True)
            ]
        )
    return curves, words


def roc_figures(
    block: Graded, names: Mapping[str, str], means: Sequence[float], *, compare: bool = True
) -> list[Figure]:
    """Return one figure for each arm; the average of the first arm is drawn grey in the others."""
    figures: list[Figure] = []
    reference: list[dict[str, float]] = []
    for arm, code in enumerate(block.arms):
        curves, words = curves_of(block, arm)
        if not curves:
            continue
        average = average_of(curves, code)
        mean = means[arm]
        note = "" if math.isnan(mean) else f"mean AUC {fixed(mean, 3)}"
        spec = arm_roc(
            curves,
            words,
            average=average,
            compared=reference if compare else (),
            note=note,
            is_reference=compare and arm == 0,
        )
        against = f"Grey dashes: average of “{names[block.arms[0]]}”." if reference else ""
        figures.append(
            Figure(
                code=f"roc_{code}",
                title=names[code],
                spec=spec,
                alt=f"ROC curves of {many(len(curves), 'reader')} in “{names[code]}”"
                + (f", {note}" if note else ""),
                method=METHOD,
                n=block.n_words(),
                notes=_notes(len(curves), against if compare else ""),
            )
        )
        reference = reference or average
    return figures


def _notes(readers: int, against: str) -> tuple[str, ...]:
    notes = ["A point shows its threshold, sensitivity and specificity.", against]
    if readers > NAMED_READERS:
        notes.append("Thin lines are the readers; a point names its reader.")
    return tuple(filter(None, notes))
