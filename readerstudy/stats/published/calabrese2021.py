"""Calabrese et al. 2021, Table 2: four neuroradiologists read real and simulated images.

Calabrese E, Rudie JD, Rauschecker AM, et al. Feasibility of simulated postcontrast MRI of
glioblastomas and lower-grade gliomas by using three-dimensional fully convolutional neural
networks. Radiol Artif Intell 2021;3(5):e200276.
"""

from __future__ import annotations

from typing import Any

from readerstudy.stats.published.confusions import ConfusionCheck, consistent_confusions
from readerstudy.stats.published.granularity import (
    check_percentage,
    check_pooled_mean,
    possible_sizes,
)
from readerstudy.stats.published.intervals import check_mean_interval
from readerstudy.stats.published.printed import (
    Cell,
    PublishedTable,
    check_cell,
    open_cell,
    published_table,
    value_cell,
)
from readerstudy.stats.published.pvalues import check_two_proportions

PAPER = "Calabrese et al., Radiol Artif Intell 2021"
READS = 320
"""Four readers times 80 volumes; of 80, 160 and 320 only 320 fits all three columns."""
PER_ARM = 160
"""Reads of real and of simulated volumes: 160 each, from recall 52.5% = 84/160."""

TABLE_2: dict[str, dict[str, Any]] = {
    "tumour grade": {
        "accuracy": "90.6%", "precision": "88.2%", "recall": "93.8%", "f1": "0.90", "mcc": "0.81"
    },
    "tumour enhancement": {
        "accuracy": "83.4%", "precision": "93.3%", "recall": "83.3%", "f1": "0.88", "mcc": "0.63"
    },
    "simulated or real": {
        "accuracy": "59.1%", "precision": "60.4%", "recall": "52.5%", "f1": "0.56", "mcc": "0.18"
    },
}  # fmt: skip
KAPPA = {"tumour grade": "0.70", "tumour enhancement": "0.90", "simulated or real": "-0.23"}
SPLIT_ACCURACY = {
    "tumour grade": ("90.6%", "87.7%", ".87"),
    "tumour enhancement": ("86.9%", "74.2%", ".36"),
}
"""Accuracy on simulated images, on real images, and P."""
DICE = (
    ("all", "0.65", "0.25", 400, "0.63", "0.67"),
    ("glioblastoma", "0.65", "0.20", 332, "0.63", "0.67"),
    ("lower grade", "0.58", "0.4", 68, "0.49", "0.68"),
    ("external", "0.62", "0.27", 286, "0.59", "0.65"),
)
"""Group, mean, SD, n, lower and upper limit."""


def column(task: str) -> ConfusionCheck:
    """Enumerate the tables behind one column of Table 2.

    Examples
    --------
    >>> column("simulated or real").tables
    ((84, 55, 76, 105),)
    """
    return consistent_confusions(READS, **TABLE_2[task])


def check() -> PublishedTable:
    """Recompute Table 2, the split accuracies and the figures of the text.

    Returns
    -------
    PublishedTable

    Examples
    --------
    >>> check().find("Text, tumour enhancement, P of simulated against real").verdict
    'does not follow from the counts'
    """
    cells = [cell for task in TABLE_2 for cell in _column_cells(task)]
    cells += [cell for task in SPLIT_ACCURACY for cell in _split_cells(task)]
    cells += [_dice_cell(row) for row in DICE]
    return published_table(PAPER, cells + _text_cells())


def _column_cells(task: str) -> list[Cell]:
    found = column(task)
    cells = [
        value_cell(
            f"Table 2, {task}, {metric}",
            printed,
            found.metrics[metric],
            method=found.method,
            n=READS,
            remark=found.words.split(";")[0],
        )
        for metric, printed in TABLE_2[task].items()
    ]
    missing = (
        "Cohen's kappa is for two raters and four read; Fleiss' or Light's kappa of four cannot "
        "be recomputed without the calls of each reader, and needs that they read the same images"
    )
    return [*cells, open_cell(f"Table 2, {task}, kappa", KAPPA[task], missing)]


def _split_cells(task: str) -> list[Cell]:
    simulated, real, pvalue = SPLIT_ACCURACY[task]
    sizes = {"n1": PER_ARM, "n2": PER_ARM}
    overall = TABLE_2[task]["accuracy"]
    return [
        check_cell(
            f"Text, {task}, accuracy on simulated images",
            simulated,
            check_percentage(simulated, PER_ARM),
        ),
        check_cell(f"Text, {task}, accuracy on real images", real, check_percentage(real, PER_ARM)),
        check_cell(
            f"Text, {task}, split accuracies against Table 2",
            overall,
            check_pooled_mean([simulated, real], [PER_ARM, PER_ARM], overall),
        ),
        check_cell(
            f"Text, {task}, P of simulated against real",
            pvalue,
            check_two_proportions(pvalue, p1=simulated, p2=real, **sizes),
        ),
    ]


def _dice_cell(row: tuple[str, str, str, int, str, str]) -> Cell:
    group, mean, sd, n, low, high = row
    return check_cell(
        f"Text, Dice overlap, {group}, limits",
        f"{mean} ± {sd} ({low}, {high})",
        check_mean_interval(mean, sd, n, low, high),
    )


def _text_cells() -> list[Cell]:
    reals = [real for _, real, _ in SPLIT_ACCURACY.values()]
    total = "sum"
    return [
        check_cell(
            "Text, Dice overlap, all against its parts",
            "0.65",
            check_pooled_mean(["0.65", "0.58"], [332, 68], "0.65"),
        ),
        check_cell(
            "Text, accuracies on real images, common denominator",
            " and ".join(reals),
            possible_sizes(reals, largest=READS),
            proves=False,
        ),
        check_cell("Text, false-positive enhancement", "7.35%", check_percentage("7.35%", 68, k=5)),
        value_cell("Table 1, patients by sex", "400", 239 + 161, method=total, n=400),
        value_cell("Table 1, patients by type", "400", 332 + 68, method=total, n=400),
        value_cell("Table 1, lower-grade gliomas", "68", 27 + 41, method=total, n=68),
    ]
