"""Park et al. 2021, Tables 1 to 3: synthetic IDH-mutant glioblastomas as training data.

Park JE, Eun D, Kim HS, et al. Generative adversarial network for glioblastoma ensures morphologic
variations and improves diagnostic model for isocitrate dehydrogenase mutant type. Sci Rep
2021;11:9912. The figures as printed are in :mod:`readerstudy.stats.published.park2021_data`.
"""

from __future__ import annotations

import math

from readerstudy.stats.published.auc_checks import check_auc_interval, check_auc_point
from readerstudy.stats.published.granularity import check_percentage
from readerstudy.stats.published.intervals import check_interval, check_interval_p
from readerstudy.stats.published.park2021_data import (
    ACCURACIES,
    COMPARISONS,
    GROUP_SIZES,
    KAPPAS,
    MULTIVARIABLE,
    PERFORMANCE,
    READER_GROUPS,
    TABLE_1,
    TABLE_1_P,
    TURING,
    UNIVARIABLE,
    VALIDATION_CASES,
    Performance,
)
from readerstudy.stats.published.printed import (
    Cell,
    PublishedTable,
    check_cell,
    open_cell,
    published_table,
    show_p,
    value_cell,
)

PAPER = "Park et al., Sci Rep 2021"
TURING_IMAGES = 100
"""Not printed: the only round number that gives 55% with 45 errors and 62% with 38."""


def check() -> PublishedTable:
    """Recompute Tables 1 to 3 and the figures of the text.

    Returns
    -------
    PublishedTable

    Examples
    --------
    >>> table = check()
    >>> table.find("Table 1, location, P+").verdict
    'reproduces'
    >>> table.find("Table 3, validation, reader 1, model 1, specificity").words
    '33/33 = 100%, printed 100%'
    """
    cells = _table_1_cells() + _univariable_cells()
    cells += [_multivariable_cell(*row) for row in MULTIVARIABLE]
    cells += [cell for row in PERFORMANCE for cell in _performance_cells(row)]
    return published_table(PAPER, cells + _repeated_rows() + _text_cells())


def _table_1_cells() -> list[Cell]:
    from readerstudy.stats.contingency import chi_square

    cells = []
    for variable, groups in TABLE_1.items():
        for group, counts in groups.items():
            cells.append(
                value_cell(
                    f"Table 1, {variable}, {group}, total",
                    str(GROUP_SIZES[group]),
                    sum(counts),
                    method="sum of the column",
                    n=sum(counts),
                )
            )
        for label, (first, second) in COMPARISONS.items():
            test = chi_square([groups[first], groups[second]], correction=False)
            cells.append(
                value_cell(
                    f"Table 1, {variable}, {label}",
                    TABLE_1_P[variable][label],
                    test.pvalue,
                    method=test.method,
                    n=test.n,
                    remark=_swapped(variable, label),
                )
            )
    return cells


def _swapped(variable: str, label: str) -> str:
    if variable == "enhancement" and label in ("P*", "P**"):
        return "P* and P** look exchanged (.0028 printed .002 in the other column, and <.001)"
    return ""


def _univariable_cells() -> list[Cell]:
    cells = []
    for term, (variable, positive, reference, printed) in UNIVARIABLE.items():
        for model, (beta, pvalue) in printed.items():
            value, p, n = _log_odds_ratio(variable, positive, reference, model)
            where = f"Table 2, model {model}, univariable, {term}"
            method = "log odds ratio of the counts of Table 1, Woolf's standard error"
            remark = _frontal_against_thalamus(model) if term == "thalamus or brainstem" else ""
            cells += [
                value_cell(f"{where}, beta", beta, value, method=method, n=n, remark=remark),
                value_cell(f"{where}, P", pvalue, p, method=method, n=n, remark=remark),
            ]
    return cells


def _log_odds_ratio(
    variable: str, positive: int, reference: int, model: int
) -> tuple[float, float, int]:
    """Return log odds ratio of mutation, its Wald P and n for one level against another."""
    from readerstudy.stats.regression import logistic

    groups = TABLE_1[variable]
    wild = groups["wild type"]
    used = {1: ["mutant"], 2: ["synthetic"], 3: ["mutant", "synthetic"]}[model]
    mutant = [sum(groups[g][level] for g in used) for level in (positive, reference)]
    table = [mutant[0], wild[positive], mutant[1], wild[reference]]
    y = [1] * table[0] + [0] * table[1] + [1] * table[2] + [0] * table[3]
    x = [1] * (table[0] + table[1]) + [0] * (table[2] + table[3])
    fit = logistic(y, x, names=["level"])
    return float(fit.beta[1]), float(fit.pvalue[1]), sum(table)


def _frontal_against_thalamus(model: int) -> str:
    beta, p, _ = _log_odds_ratio("location", 0, 2, model)
    return (
        f"the row gives frontal or insula against thalamus ({beta:.3f}, P = {show_p(p)}), not "
        "thalamus against the stated reference"
    )


def _multivariable_cell(model: int, term: str, figures: tuple[str, str, str], pvalue: str) -> Cell:
    """Check that limits hold their coefficient and agree with its P."""
    beta, low, high = figures
    where = f"Table 2, model {model}, multivariable, {term}"
    printed = f"{beta} ({low}, {high}), P = {pvalue}"
    shape = check_interval(beta, low, high)
    if shape.verdict == "inconsistent":
        return check_cell(where, printed, shape)
    agreement = check_interval_p(beta, low, high, pvalue)
    return check_cell(where, printed, agreement, value=agreement.recomputed, proves=False)


def _performance_cells(row: Performance) -> list[Cell]:
    where = f"Table 3, {row.name}, model {row.model}"
    limits = f"{row.auc} ({row.low}, {row.high})"
    interval = check_auc_interval(
        row.auc, row.low, row.high, n_positive=row.n_positive, n_negative=row.n_negative
    )
    point = check_auc_point(row.auc, row.sensitivity, row.specificity)
    value = float(row.auc) if interval.matching else math.nan
    wrong_point = [check_cell(f"{where}, AUC and its point", row.auc, point)]
    return [
        *(wrong_point if point.verdict == "inconsistent" else []),
        check_cell(f"{where}, AUC and limits", limits, interval, value=value),
        _share_cell(
            f"{where}, sensitivity", row.sensitivity, row.n_positive, row.n_negative, "mutants"
        ),
        _share_cell(
            f"{where}, specificity", row.specificity, row.n_negative, row.n_positive, "wild types"
        ),
    ]


def _share_cell(where: str, printed: str, n: int, other: int, who: str) -> Cell:
    """Check a share of its own class; tell where it fits the other class instead."""
    from dataclasses import replace

    found = check_percentage(printed, n)
    if len(found.numerators) == 1:
        cell = check_cell(where, printed, check_percentage(printed, n, k=found.numerators[0]))
        return replace(cell, value=found.numerators[0] / n)
    cell = check_cell(where, printed, found)
    swapped = check_percentage(printed, other)
    if found.verdict == "inconsistent" and swapped.verdict == "consistent":
        words = f"not a whole number of {n} {who}, but {swapped.words}: the columns look exchanged"
        return replace(cell, words=words)
    return cell


def _repeated_rows() -> list[Cell]:
    """Point out different models with all figures of a reader the same."""
    cells = []
    for name in READER_GROUPS:
        rows = [row for row in PERFORMANCE if row.name == name]
        for first, second in ((a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]):
            if first.figures == second.figures:
                cells.append(
                    open_cell(
                        f"Table 3, {name}, models {first.model} and {second.model}",
                        " ".join(first.figures),
                        "all five figures of two different models are the same; the fitted "
                        "probabilities are needed to tell a coincidence from a copied row",
                    )
                )
    return cells


def _text_cells() -> list[Cell]:
    sums = "sum or difference"
    cells = [
        value_cell("Text, patients", "162", 214 - 14 - 38, method=sums, n=214),
        value_cell("Text, men and women", "162", 65 + 97, method=sums, n=162),
        value_cell("Text, training and validation", "162", 118 + 44, method=sums, n=162),
        value_cell("Text, normal brains", "500", 393 + 107, method=sums, n=500),
        value_cell("Text, astrocytomas", "110", 57 + 53, method=sums, n=110),
        value_cell(
            "Text, lower limit of the training AUC, model 1",
            "0.80",
            0.789,
            method="Table 3",
            n=118,
            remark="Table 3 prints 0.789, which rounds to 0.79",
        ),
        open_cell("Table 1, age", "P < 0.001, < 0.001, 0.003", "the ages are needed"),
    ]
    cells += [cell for row in TURING for cell in _turing_cells(*row)]
    cells += [cell for row in ACCURACIES for cell in _accuracy_cells(*row)]
    cells += [_higher_cell(reader) for reader in (1, 2)]
    cells += [
        _odds_ratio_cell(*row) for row in (("location", "1.34", "1.52"), ("margin", "2.68", "3.88"))
    ]
    return cells + [_kappa_cell(*row) for row in KAPPAS]


def _turing_cells(reader: int, printed: str, real_missed: int, synthetic_missed: int) -> list[Cell]:
    from readerstudy.stats.turing import binomial_against

    right = TURING_IMAGES - real_missed - synthetic_missed
    test = binomial_against(right, TURING_IMAGES)
    facts = f"{right} of {TURING_IMAGES} right, P against 50% = {show_p(test.p_two_sided)}"
    rate = check_percentage(printed, TURING_IMAGES, k=right)
    claim = f"Text, Turing test, reader {reader}, difficult to distinguish"
    cells = [
        check_cell(
            f"Text, Turing test, reader {reader}, rate", printed, rate, value=right / TURING_IMAGES
        )
    ]
    if test.p_two_sided >= 0.05:
        words = f"{facts}: no proof of chance either, which needs a margin set before"
        return [*cells, open_cell(claim, "difficult", words)]
    return [
        *cells,
        Cell(
            where=claim,
            printed="difficult",
            value=test.p_two_sided,
            verdict="does not follow from the counts",
            words=f"{facts}: better than chance",
            method=test.method,
            n=TURING_IMAGES,
        ),
    ]


def _accuracy_cells(reader: int, model: int, printed: str, right: int) -> list[Cell]:
    """Check the accuracy of the text against its fraction and against Table 3."""
    row = next(
        r for r in PERFORMANCE if r.name == f"validation, reader {reader}" and r.model == model
    )
    where = f"Text, accuracy, reader {reader}, model {model}"
    fraction = check_percentage(printed, VALIDATION_CASES, k=right)
    totals = _totals(row)
    fits = right in totals
    shown = f"{totals[0]}" if len(totals) == 1 else f"{totals[0]} to {totals[-1]}"
    shares = f"sensitivity {row.sensitivity} and specificity {row.specificity}"
    return [
        check_cell(f"{where}, fraction", printed, fraction, value=right / VALIDATION_CASES),
        Cell(
            where=f"{where}, against Table 3",
            printed=printed,
            value=totals[0] / VALIDATION_CASES if len(totals) == 1 else math.nan,
            verdict="reproduces" if fits else "does not follow from the counts",
            words=f"{shares} give {shown} of {VALIDATION_CASES} right, the text has {right}",
            method="true positives and true negatives of Table 3",
            n=VALIDATION_CASES,
        ),
    ]


def _totals(row: Performance) -> range:
    """Return the numbers right that sensitivity and specificity allow; any share if impossible."""
    hits = check_percentage(row.sensitivity, row.n_positive).numerators or range(row.n_positive + 1)
    passes = check_percentage(row.specificity, row.n_negative).numerators
    return range(hits[0] + passes[0], hits[-1] + passes[-1] + 1)


def _higher_cell(reader: int) -> Cell:
    """Test "higher accuracy of the augmented model" on the same cases, in the best case."""
    from readerstudy.stats.contingency import mcnemar
    from readerstudy.stats.proportions import two_proportions

    right = {model: k for who, model, _, k in ACCURACIES if who == reader}
    gained = right[3] - right[1]
    best = mcnemar(right[1], gained, 0, VALIDATION_CASES - right[3])
    unpaired = two_proportions(
        right[3], VALIDATION_CASES, right[1], VALIDATION_CASES, assume_independent=True
    )
    return Cell(
        where=f"Abstract, higher accuracy of model 3, reader {reader}",
        printed="higher",
        value=best.p_exact,
        verdict="does not follow from the counts",
        words=f"{right[3]} against {right[1]} of the same {VALIDATION_CASES} cases: with no case "
        f"lost the exact McNemar P is {show_p(best.p_exact)}, with losses more; taken as "
        f"independent P = {show_p(unpaired.p_pooled)}",
        method=best.method,
        n=VALIDATION_CASES,
    )


def _odds_ratio_cell(term: str, real: str, synthetic: str) -> Cell:
    ratios = [math.exp(float(beta)) for beta in (real, synthetic)]
    return Cell(
        where=f"Abstract, odds ratios of {term}",
        printed=f"OR {real} and {synthetic}",
        value=ratios[0],
        verdict="does not follow from the counts",
        words=f"these are the coefficients of Table 2, not odds ratios, which would be "
        f"{ratios[0]:.2f} and {ratios[1]:.2f}",
        method="exponential of the coefficient",
        n=0,
    )


def _kappa_cell(feature: str, kappa: str, printed: str, by_scale: str) -> Cell:
    """Compare the word for a kappa with the scale the paper itself states."""
    return Cell(
        where=f"Text, kappa of {feature}, word",
        printed=f"{printed} ({kappa})",
        value=float(kappa),
        verdict="reproduces" if printed == by_scale else "does not follow from the counts",
        words=f"the paper's own scale calls {kappa} {by_scale}; kappa itself needs the readings",
        method="scale of the paper: 0.41-0.60 moderate, 0.61-0.80 substantial",
        n=0,
    )
