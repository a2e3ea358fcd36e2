"""Sample sizes against R's power.prop.test and the formula of kappaSize, and their identities."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from readerstudy import stats
from tests.stats.golden import golden

SHARE = st.integers(1, 19).map(lambda i: i / 20)


def test_two_proportions_equal_r():
    case = golden("power_basic")
    result = stats.n_two_proportions(**case["data"], alpha=0.05)
    assert result.n_per_group == pytest.approx(case["expected"]["n_per_group"], rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # R 4.2.2: power.prop.test(p1, p2, power, tol = 1e-12)$n
        ({"p1": 0.5, "p2": 0.75, "power": 0.9}, 76.7069284518),
        ({"p1": 0.86, "p2": 0.94, "power": 0.8, "alternative": "one-sided"}, 172.834983159),
    ],
)
def test_two_proportions_of_r_to_all_digits(arguments, expected):
    assert stats.n_two_proportions(**arguments).n_per_group == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # goodness-of-fit formula evaluated in R with the exact noncentral chi-square
        ({"kappa0": 0.4, "kappa1": 0.6, "prevalence": 0.3}, 190.455002971),
        ({"kappa0": 0.4, "kappa1": 0.6, "prevalence": 0.3, "raters": 3}, 105.520889821),
        ({"kappa0": 0.6, "kappa1": 0.8, "prevalence": 0.1, "power": 0.9}, 448.31656148),
    ],
)
def test_kappa_sizes(arguments, expected):
    result = stats.n_kappa(**arguments)
    assert result.n_subjects == pytest.approx(expected, rel=1e-8)
    assert result.required == result.n == int(np.ceil(expected))


@given(SHARE, SHARE, st.floats(0.5, 0.99))
def test_size_gives_back_the_power(p1, p2, power):
    assume(p1 != p2)
    n = stats.n_two_proportions(p1, p2, power=power).n_per_group
    mean = (p1 + p2) / 2
    bound = norm.isf(0.025) * np.sqrt(2 * mean * (1 - mean) / n)
    spread = np.sqrt((p1 * (1 - p1) + p2 * (1 - p2)) / n)
    assert norm.sf((bound - abs(p1 - p2)) / spread) == pytest.approx(power)


@given(SHARE, SHARE)
def test_size_does_not_depend_on_order_or_on_what_counts_as_success(p1, p2):
    assume(p1 != p2)
    sizes = [
        stats.n_two_proportions(a, b).n_per_group for a, b in ((p1, p2), (p2, p1), (1 - p1, 1 - p2))
    ]
    assert sizes == pytest.approx([sizes[0]] * 3)


@given(st.integers(2, 6), SHARE)
def test_kappa_size_is_symmetric_in_the_prevalence_and_falls_with_raters(raters, prevalence):
    here = stats.n_kappa(0.5, 0.7, prevalence=prevalence, raters=raters).n_subjects
    there = stats.n_kappa(0.5, 0.7, prevalence=1 - prevalence, raters=raters).n_subjects
    more = stats.n_kappa(0.5, 0.7, prevalence=prevalence, raters=raters + 1).n_subjects
    assert here == pytest.approx(there)
    assert more < here


def test_kappa_size_reaches_its_power_in_simulation():
    """The test of Donner and Eliasziw with the prevalence estimated, at the planned size."""

    def cells(kappa, p):
        both = kappa * p * (1 - p)
        return np.array([(1 - p) ** 2 + both, 2 * p * (1 - p) - 2 * both, p**2 + both])

    size = stats.n_kappa(0.4, 0.7, prevalence=0.4, power=0.8).required
    counts = np.random.default_rng(11).multinomial(size, cells(0.7, 0.4), 4000)
    prevalence = (2 * counts[:, 2] + counts[:, 1]) / (2 * size)
    expected = size * cells(0.4, prevalence).T
    statistic = ((counts - expected) ** 2 / expected).sum(axis=1)
    assert (statistic > chi2.isf(0.05, 1)).mean() == pytest.approx(0.8, abs=0.05)


def test_small_expected_counts_are_warned_about():
    assert stats.n_kappa(0.2, 0.9, prevalence=0.05).warnings
    assert not stats.n_kappa(0.6, 0.8, prevalence=0.4).warnings


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.n_two_proportions(0.5, 0.5), "no sample tells equal proportions apart"),
        (lambda: stats.n_two_proportions(1.5, 0.5), "p1 must lie between 0 and 1, got 1.5"),
        (lambda: stats.n_two_proportions(0.4, 0.5, power=0.01), "power must lie between alpha"),
        (lambda: stats.n_two_proportions(0.4, 0.5, alpha=2), "alpha must lie between 0 and 1"),
        (lambda: stats.n_kappa(0.4, 0.4, prevalence=0.3), "no sample tells them apart"),
        (lambda: stats.n_kappa(0.4, 0.6, prevalence=0), "prevalence must lie between 0 and 1"),
        (lambda: stats.n_kappa(0.4, 0.6, prevalence=0.3, raters=1), "raters must be at least 2"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_summaries_tell_the_rounded_size():
    assert stats.n_two_proportions(0.5, 0.75).summary().startswith("77 per group, 154 in all")
    assert "read by 3 raters" in stats.n_kappa(0.4, 0.6, prevalence=0.3, raters=3).summary()
