"""Accuracy against chance, equivalence to chance, d', non-inferiority."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.stats import (
    binomial_against,
    clustered_against,
    dprime,
    equivalence_to_chance,
    non_inferiority,
    two_proportions,
)
from tests.stats.golden import close, golden, reference

trials = st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
counts = st.integers(0, 40)


def test_park_reader_two_is_above_chance():
    """Park 2021: 62 of 100 right, exact p .021, interval .517 to .715 (R binom.test)."""
    found = binomial_against(62, 100)
    assert found.p_two_sided == close(0.0209787356778516)
    assert found.p_greater == close(0.0104893678389258)
    assert (found.low, found.high) == (close(0.517460694249193), close(0.715232523858521))


def test_binomial_against_r():
    for wanted in reference("contingency")["binomials"]:
        k, n = wanted["k"], wanted["n"]
        found = binomial_against(k, n)
        assert (found.p_two_sided, found.p_greater) == (
            close(wanted["p"]),
            close(wanted["greater"]),
        )
        assert (found.low, found.high) == (close(wanted["low"]), close(wanted["high"]))
        assert binomial_against(k, n, p0=1 / 3).p_two_sided == close(wanted["third"])


def test_equivalence_by_hand():
    """50 of 100 within ±10 points: both one-sided binomial tails, and z = .1/.05 = 2."""
    found = equivalence_to_chance(50, 100, margin=0.1)
    tail = float(stats.binom.sf(49, 100, 0.4))
    assert found.p_exact == close(tail)
    assert found.p_wald == close(float(stats.norm.sf(2.0)))
    assert found.equivalent
    assert found.level == close(0.9)
    assert "equivalent to 0.5" in found.summary()


def test_no_difference_is_not_equivalence():
    """Park reader 1, 55 of 100: p .37 against chance, and equivalence within 10 points .18."""
    assert binomial_against(55, 100).p_two_sided > 0.3
    found = equivalence_to_chance(55, 100, margin=0.1)
    assert found.p_exact == close(0.178901632723106)
    assert not found.equivalent
    assert "not shown" in found.summary()


@given(trials.filter(lambda t: 0 < t[0] < t[1]), st.floats(0.05, 0.3))
def test_equivalence_agrees_with_its_interval(share, margin):
    """The exact test rejects just when the 90 % Clopper-Pearson interval lies inside."""
    found = equivalence_to_chance(*share, margin=margin)
    inside = found.low > 0.5 - margin and found.high < 0.5 + margin
    assert found.equivalent == inside


@given(trials)
def test_calling_the_other_class_mirrors_accuracy(share):
    k, n = share
    here, there = binomial_against(k, n), binomial_against(n - k, n)
    assert here.p_two_sided == close(there.p_two_sided)
    assert (here.low, here.high) == (close(1 - there.high), close(1 - there.low))
    exact = [equivalence_to_chance(v, n, margin=0.2).p_exact for v in (k, n - k)]
    assert exact[0] == close(exact[1])


def test_dprime_against_r():
    wanted = reference("contingency")["detection"]
    found = dprime(*wanted["counts"])
    assert (found.dprime, found.criterion) == (close(wanted["dprime"]), close(wanted["c"]))


def test_dprime_textbook():
    """Macmillan & Creelman 2005: H .84, F .16 (rounded) give d' 1.99, c 0, beta 1."""
    found = dprime(84, 16, 16, 84, correction="none")
    z = float(stats.norm.ppf(0.84))
    assert (found.dprime, found.criterion, found.beta) == (close(2 * z), close(0), close(1))
    assert found.a_z == close(float(stats.norm.cdf(2 * z / math.sqrt(2))))
    variance = 2 * 0.84 * 0.16 / (100 * float(stats.norm.pdf(z)) ** 2)
    assert found.se == close(math.sqrt(variance))
    assert (found.low, found.high) == (
        close(found.dprime - 1.959963984540054 * found.se),
        close(found.dprime + 1.959963984540054 * found.se),
    )


def test_dprime_of_rates_zero_and_one():
    found = dprime(20, 0, 0, 20)
    assert found.hit_rate == close(20.5 / 21)
    assert found.dprime == close(2 * float(stats.norm.ppf(20.5 / 21)))
    raw = dprime(20, 0, 0, 20, correction="none")
    assert math.isnan(raw.dprime)
    assert "loglinear" in raw.reason
    for cells, name in (((0, 0, 3, 4), "signal"), ((3, 4, 0, 0), "noise")):
        empty = dprime(*cells)
        assert math.isnan(empty.dprime)
        assert f"no {name} trials" in empty.reason
        assert empty.to_dict()["dprime"] is None


@given(counts, counts, st.integers(1, 40), st.integers(1, 40))
def test_dprime_signs(hits, misses, false_alarms, rejections):
    if hits + misses == 0:
        return
    here = dprime(hits, misses, false_alarms, rejections)
    there = dprime(misses, hits, rejections, false_alarms)
    assert here.dprime == close(-there.dprime)
    assert here.criterion == close(-there.criterion)
    assert here.a_z == close(1 - there.a_z)


def test_non_inferiority_by_hand():
    """.90 against .88 of 100 each, margin .10: z = .12 / sqrt(.0009 + .001056)."""
    found = non_inferiority(90, 100, 88, 100, margin=0.1)
    se = math.sqrt(0.9 * 0.1 / 100 + 0.88 * 0.12 / 100)
    assert found.p_wald == close(float(stats.norm.sf(0.12 / se)))
    assert (found.low, found.high) == (
        close(0.02 - 1.959963984540054 * se), close(0.02 + 1.959963984540054 * se)
    )  # fmt: skip
    assert found.non_inferior
    newcombe = two_proportions(90, 100, 88, 100)
    assert (found.low_newcombe, found.high_newcombe) == (newcombe.low, newcombe.high)


@given(trials, trials, st.floats(0.01, 0.5))
def test_non_inferiority_agrees_with_its_lower_limit(one, other, margin):
    found = non_inferiority(*one, *other, margin=margin)
    if math.isnan(found.p_wald):
        assert found.reason
        assert not found.non_inferior
    elif abs(found.low + margin) > 1e-9:
        assert found.non_inferior == (found.low > -margin)


def test_clustered_against_by_hand():
    """Shares 1, 1/2, 1/2, 1 of two reads each: p = 3/4, se² = 4/3 · 4 · (1/2)² / 8² = 1/48."""
    reads, cases = [1, 1, 0, 1, 1, 0, 1, 1], list("aabbccdd")
    found = clustered_against(reads, cases, margin=0.4)
    assert (found.value, found.se) == (close(0.75), close(math.sqrt(1 / 48)))
    assert found.p_two_sided == close(2 * float(stats.norm.sf(0.25 * math.sqrt(48))))
    assert found.p_equivalence == close(float(stats.norm.sf(0.15 * math.sqrt(48))))
    assert 0.0 < found.low < 0.75 < found.high < 1.0
    alike = clustered_against([1, 1, 1, 1], list("aabb"))
    assert math.isnan(alike.z)
    assert alike.reason


def test_degenerate():
    nothing = binomial_against(0, 0)
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.p_two_sided)
    assert nothing.reason
    all_right = equivalence_to_chance(10, 10, margin=0.1)
    assert math.isnan(all_right.p_wald)
    assert "standard error is 0" in all_right.reason
    assert all_right.p_exact > 0.99
    assert math.isnan(equivalence_to_chance(0, 0, margin=0.1).p_exact)
    same = non_inferiority(10, 10, 10, 10, margin=0.1)
    assert math.isnan(same.p_wald)
    assert same.reason
    assert same.low_newcombe < 0 < same.high_newcombe
    assert math.isnan(non_inferiority(0, 0, 3, 4, margin=0.1).difference)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: binomial_against(5, 4), "k must be at most n"),
        (lambda: binomial_against(-1, 4), "k must be"),
        (lambda: binomial_against(1, 4, p0=1.0), "p0"),
        (lambda: binomial_against(1, 3, case_ids=[1, 1, 2]), "clustered_proportion"),
        (lambda: equivalence_to_chance(1, 4, margin=0.6), "margin"),
        (lambda: equivalence_to_chance(1, 4, margin=-0.1), "margin"),
        (lambda: equivalence_to_chance(1, 4, margin=0.1, alpha=0.7), "alpha"),
        (lambda: dprime(1, 2, 3, -4), "correct_rejections"),
        (lambda: dprime(1, 2, 3, 4, correction="half"), "half"),
        (lambda: non_inferiority(1, 2, 1, 2, margin=0), "margin"),
        (lambda: non_inferiority(3, 2, 1, 2, margin=0.1), "at most n"),
        (lambda: non_inferiority(1, 2, 1, 2, margin=0.1, case_ids=([1, 2], [1, 2])), "mcnemar"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def check_row(row):
    found = binomial_against(row["k"], row["n"])
    assert (found.p_two_sided, found.p_greater) == (
        close(row["p_binom_two_sided"]), close(row["p_binom_greater"])
    )  # fmt: skip
    assert [found.low, found.high] == close(row["exact_ci"])
    equivalence = equivalence_to_chance(row["k"], row["n"], margin=row["tost_margin"])
    assert equivalence.p_wald == close(row["tost_wald_p"])
    assert equivalence.p_exact == close(row["tost_exact_p"])
    assert [equivalence.low, equivalence.high] == close(row["exact_ci90"])


def test_golden_binomial_and_equivalence():
    for row in golden("turing_basic")["expected"]["rows"]:
        check_row(row)
    park = golden("seed_park_accuracy_turing")["expected"]
    for reader in ("turing_reader1", "turing_reader2"):
        check_row(park[reader])


def test_golden_dprime():
    data = golden("sdt_basic")
    cells = [data["data"][k] for k in ("hits", "misses", "fa", "cr")]
    for correction, key in (("none", "raw"), ("loglinear", "loglinear")):
        found, wanted = dprime(*cells, correction=correction), data["expected"][key]
        assert (found.dprime, found.criterion) == (
            close(wanted["dprime"]), close(wanted["criterion_c"])
        )  # fmt: skip
        assert (found.beta, found.a_z) == (close(wanted["beta"]), close(wanted["a_z"]))
        assert found.se == close(wanted["se_dprime_gourevitch_galanter"])
