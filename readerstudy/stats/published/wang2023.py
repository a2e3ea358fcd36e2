"""Wang et al. 2023, Tables 1 to 4: synthetic cerebral blood volume maps of brain tumours.

Wang B, Pan Y, Xu S, et al. Quantitative cerebral blood volume image synthesis from standard MRI
using image-to-image translation for brain tumors. Radiology 2023;308(2):e222471.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from readerstudy.stats.published.auc_checks import check_auc_difference, check_auc_interval
from readerstudy.stats.published.granularity import check_mean, check_percentage
from readerstudy.stats.published.intervals import check_interval
from readerstudy.stats.published.printed import (
    Cell,
    PublishedTable,
    check_cell,
    open_cell,
    published_table,
    value_cell,
)
from readerstudy.stats.published.pvalues import check_paired_means, check_z_p

PAPER = "Wang et al., Radiology 2023"
VALIDATION_EXAMS = 227
Triple = tuple[str, str, str]


@dataclass(frozen=True)
class Scenario:
    """One clinical task of Tables 3 and 4, as printed.

    ``n_positive`` and ``n_negative`` are None for prognosis: survival is censored, so an AUC of
    "dead or alive" has no such classes.
    """

    name: str
    n: int
    n_positive: int | None
    n_negative: int | None
    standard: Triple
    with_cbv: Triple
    z_auc: str
    z_nri: str
    z_idi: str


SCENARIOS = (
    Scenario(
        "Table 3, glioma grading", 1792, 1025, 767,
        ("0.707", "0.686", "0.728"), ("0.857", "0.806", "0.842"), "15.17", "14.24", "15.17",
    ),
    Scenario(
        "Table 3, prognosis", 575, None, None,
        ("0.654", "0.613", "0.692"), ("0.793", "0.757", "0.825"), "9.62", "8.94", "9.62",
    ),
    Scenario(
        "Table 4, glioma", 294, 158, 136,
        ("0.778", "0.727", "0.825"), ("0.853", "0.808", "0.892"), "4.86", "4.69", "4.86",
    ),
    Scenario(
        "Table 4, brain metastases", 320, 180, 140,
        ("0.749", "0.698", "0.796"), ("0.857", "0.813", "0.893"), "6.131", "5.81", "6.13",
    ),
)  # fmt: skip
PERCENTAGES = (
    ("Table 1, male", "55.1%", 204, 370),
    ("Table 1, female", "44.9%", 166, 370),
    ("Table 1, glioma", "36.2%", 134, 370),
    ("Table 1, brain metastasis", "49.5%", 183, 370),
    ("Table 1, lymphoma", "3.2%", 12, 370),
    ("Table 1, meningioma", "4.3%", 16, 370),
    ("Table 1, medulloblastoma", "3.8%", 14, 370),
    ("Table 1, other", "3.0%", 11, 370),
    ("Text, excluded for susceptibility", "3.4%", 28, 818),
    ("Text, excluded for motion", "2.0%", 16, 818),
    ("Text, excluded for standard MRI", "2.2%", 18, 818),
    ("Text, included", "92.4%", 756, 818),
    ("Text, quality score 1", "3.6%", 27, 756),
    ("Text, quality score 2", "29.6%", 224, 756),
    ("Text, quality score 3", "66.8%", 505, 756),
    ("Text, low-grade gliomas", "42.8%", 767, 1792),
    ("Text, high-grade gliomas", "57.2%", 1025, 1792),
    ("Text, recurrence in gliomas", "53.7%", 158, 294),
    ("Text, treatment response in gliomas", "46.3%", 136, 294),
    ("Text, recurrence in metastases", "56.3%", 180, 320),
    ("Text, treatment response in metastases", "43.7%", 140, 320),
)
"""Place, percentage as printed, numerator, denominator."""
LIKERT = {1: 27, 2: 224, 3: 505}
KAPPAS = (
    ("grading", "0.91", "0.83", "0.98", 1792),
    ("prognosis", "0.88", "0.80", "0.96", 575),
    ("differential diagnosis", "0.89", "0.82", "0.97", 614),
)
"""Task, kappa, limits, patients of the task."""
BEST = ("86.29", "4.30")
SSIM_TESTS = (
    ("feature-consistency GAN, same inputs", "86.19", "4.56", ".28"),
    ("encoder-decoder, all inputs", "86.25", "4.17", ".46"),
    ("feature-consistency GAN, T1c and FLAIR", "85.80", "4.63", ".008"),
    ("feature-consistency GAN, T2", "82.61", "4.00", "<.001"),
)
"""Model, SSIM, SD, P of the paired t test against the best model."""


def check() -> PublishedTable:
    """Recompute Tables 1 to 4 and the figures of the text.

    Returns
    -------
    PublishedTable

    Examples
    --------
    >>> check().find("Table 3, glioma grading, with CBV, AUC and limits").verdict
    'does not follow from the counts'
    """
    cells = [
        check_cell(where, printed, check_percentage(printed, n, k=k), value=k / n)
        for where, printed, k, n in PERCENTAGES
    ]
    cells += _sums() + _quality_cells()
    cells += [cell for scenario in SCENARIOS for cell in _scenario_cells(scenario)]
    cells += [_kappa_cell(*row) for row in KAPPAS]
    cells += [_ssim_cell(*row) for row in SSIM_TESTS]
    return published_table(PAPER, cells)


def _sums() -> list[Cell]:
    method = "sum or ratio"
    return [
        value_cell("Table 1, sexes", "370", 204 + 166, method=method, n=370),
        value_cell("Table 1, diseases", "370", 134 + 183 + 12 + 16 + 14 + 11, method=method, n=370),
        value_cell("Table 1, scans per patient", "2.04", 756 / 370, method=method, n=370),
        value_cell("Text, exclusions", "756", 818 - 28 - 16 - 18, method=method, n=818),
        value_cell("Text, training and validation", "756", 529 + 227, method=method, n=756),
        value_cell("Text, quality scores", "756", sum(LIKERT.values()), method=method, n=756),
    ]


def _quality_cells() -> list[Cell]:
    n = sum(LIKERT.values())
    mean = sum(score * count for score, count in LIKERT.items()) / n
    missing = "the initial scores of both readers for each exam"
    return [
        value_cell(
            "Text, mean quality score",
            "2.63",
            mean,
            method="mean of the counts",
            n=n,
            remark="756 exams of 370 patients are clustered, which a standard error must allow for",
        ),
        check_cell("Text, mean quality score, whole scores", "2.63", check_mean("2.63", n)),
        open_cell("Text, within-group r", "0.88", missing),
    ]


def _scenario_cells(scenario: Scenario) -> list[Cell]:
    name = scenario.name
    cells = [
        _auc_cell(scenario, "standard MRI", scenario.standard),
        _auc_cell(scenario, "with CBV", scenario.with_cbv),
        check_cell(
            f"{name}, z of the AUCs against their limits",
            scenario.z_auc,
            check_auc_difference(scenario.standard, scenario.with_cbv, scenario.z_auc),
            proves=False,
        ),
        _twin_cell(scenario),
    ]
    for label, z in (("AUC", scenario.z_auc), ("NRI", scenario.z_nri), ("IDI", scenario.z_idi)):
        cells.append(check_cell(f"{name}, P of the {label}", "<.001", check_z_p(z, "<.001")))
    missing = "the two predicted probabilities of each patient"
    return [*cells, open_cell(f"{name}, z of the NRI", scenario.z_nri, missing)]


def _auc_cell(scenario: Scenario, label: str, printed: Triple) -> Cell:
    found = check_auc_interval(
        *printed, n=scenario.n, n_positive=scenario.n_positive, n_negative=scenario.n_negative
    )
    value = float(printed[0]) if found.matching else found.middle
    auc, low, high = printed
    return check_cell(
        f"{scenario.name}, {label}, AUC and limits", f"{auc} ({low}, {high})", found, value=value
    )


def _twin_cell(scenario: Scenario) -> Cell:
    """Two different tests of one data set do not share z to all digits, four times."""
    return open_cell(
        f"{scenario.name}, z of the IDI",
        scenario.z_idi,
        f"the printed z of the AUCs is {scenario.z_auc}: in all four tasks the z of the IDI "
        "repeats that of the AUC, which two different statistics do not do; the predicted "
        "probabilities are needed",
    )


def _kappa_cell(task: str, kappa: str, low: str, high: str, n: int) -> Cell:
    """Tell the number of subjects at which two balanced categories give this interval."""
    shape = check_interval(kappa, low, high, within=(-1.0, 1.0))
    observed = (1 + float(kappa)) / 2
    subjects = observed * (1 - observed) / (0.5 * shape.se) ** 2
    return open_cell(
        f"Text, kappa of {task}",
        f"{kappa} ({low}, {high})",
        f"the table of calls is needed; with two balanced categories these limits belong to about "
        f"{math.ceil(subjects)} subjects, the task has {n}",
    )


def _ssim_cell(model: str, mean: str, sd: str, pvalue: str) -> Cell:
    found = check_paired_means(*BEST, mean, sd, n=VALIDATION_EXAMS, pvalue=pvalue)
    return check_cell(
        f"Table 2 and text, SSIM against the best, {model}", pvalue, found, proves=False
    )
