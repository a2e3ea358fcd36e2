"""What every result promises, whatever the data: NaN has a reason, and it all fits into JSON."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import readerstudy.stats as stats
from readerstudy.stats.results import Result

count = st.integers(0, 12)
tables = st.tuples(st.integers(2, 3), st.integers(2, 3)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(0, 6))
)
squares = st.integers(2, 4).flatmap(lambda q: arrays(np.int64, (q, q), elements=st.integers(0, 9)))
ratings = arrays(
    np.float64,
    st.tuples(st.integers(2, 8), st.integers(2, 4)),
    elements=st.sampled_from([1.0, 2.0, 3.0, math.nan]),
)
full = arrays(np.int64, st.tuples(st.integers(2, 8), st.integers(2, 4)), elements=st.integers(1, 3))
pairs = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=10)
shares = st.integers(0, 15).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def numbers_in(result: Result):
    for field in dataclasses.fields(result):
        value = getattr(result, field.name)
        if isinstance(value, Result):
            continue
        values = value.values() if isinstance(value, dict) else value
        if isinstance(values, str | tuple) and field.name in ("method", "warnings", "categories"):
            continue
        for number in np.ravel(np.asarray(values, dtype=object)):
            if isinstance(number, float):
                yield field.name, number


def keeps_its_promises(result: Result) -> None:
    undefined = [name for name, number in numbers_in(result) if math.isnan(number)]
    assert not undefined or result.reason, f"{undefined} without a reason: {result}"
    assert json.dumps(result.to_dict(), allow_nan=False)
    assert "\n" not in result.summary()
    assert result.method
    assert result.n >= 0
    assert result.n_dropped >= 0


@given(ratings)
@settings(max_examples=150)
def test_agreement_with_missing_ratings(matrix):
    keeps_its_promises(stats.percent_agreement(matrix))
    for weights in (None, "linear"):
        keeps_its_promises(stats.gwet_ac(matrix, categories=[1, 2, 3], weights=weights))
    keeps_its_promises(stats.gwet_ac(matrix))
    for metric in ("nominal", "ordinal", "interval", "ratio"):
        keeps_its_promises(stats.krippendorff_alpha(matrix, metric=metric))
    keeps_its_promises(stats.krippendorff_alpha(matrix, bootstrap=100, seed=1))
    for call in (stats.fleiss_kappa, stats.light_kappa, stats.conger_kappa):
        keeps_its_promises(call(matrix, missing="omit"))
    keeps_its_promises(stats.cohen_kappa(matrix[:, 0], matrix[:, 1], missing="omit"))
    keeps_its_promises(stats.rwg(matrix, n_options=3))


@given(full)
@settings(max_examples=150)
def test_agreement_of_grades(matrix):
    for form in ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"):
        keeps_its_promises(stats.icc(matrix, form=form))
    keeps_its_promises(stats.kendall_w(matrix))


@given(pairs)
@settings(max_examples=150)
def test_pairs_of_measurements(values):
    a, b = np.array(values, dtype=float).T
    for call in (stats.bland_altman, stats.concordance_correlation, stats.paired_t):
        keeps_its_promises(call(a, b))
    for method in ("exact", "asymptotic"):
        keeps_its_promises(stats.mann_whitney(a, b, method=method))
    keeps_its_promises(stats.shapiro_wilk(a))
    keeps_its_promises(stats.clustered_proportion((a > 2).astype(int), b))
    keeps_its_promises(stats.adjust_pvalues(a / 4, method="bh"))


@given(tables)
def test_tables(table):
    for call in (stats.chi_square, stats.g_test, stats.cramers_v, stats.fisher_exact):
        keeps_its_promises(call(table))


@given(squares, st.sampled_from([None, "linear", "quadratic", "ordinal"]))
@settings(max_examples=150)
def test_kappa_of_tables(table, weights):
    for ci in ("asymptotic", "bootstrap"):
        found = stats.cohen_kappa_from_table(table, weights=weights, ci=ci, n_boot=100)
        keeps_its_promises(found)
        keeps_its_promises(found.gwet)


@given(count, count, count, count)
@settings(max_examples=150)
def test_four_counts(a, b, c, d):
    found = stats.Confusion(a, b, c, d)
    keeps_its_promises(found)
    for estimate in (*found.metrics().values(), *found.ratios().values()):
        keeps_its_promises(estimate)
    for metric in ("f1", "mcc"):
        keeps_its_promises(found.bootstrap(metric, n_boot=100))
    keeps_its_promises(stats.mcnemar(a, b, c, d))
    for correction in ("loglinear", "none"):
        keeps_its_promises(stats.dprime(a, b, c, d, correction=correction))


@given(shares, shares)
@settings(max_examples=150)
def test_shares(one, other):
    for ci in ("wilson", "exact", "agresti-coull"):
        keeps_its_promises(stats.proportion(*one, ci=ci))
    keeps_its_promises(stats.two_proportions(*one, *other))
    keeps_its_promises(stats.binomial_against(*one))
    keeps_its_promises(stats.equivalence_to_chance(*one, margin=0.2))
    keeps_its_promises(stats.non_inferiority(*one, *other, margin=0.1))


def test_a_result_cannot_be_changed():
    found = stats.proportion(3, 7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.value = 1.0
