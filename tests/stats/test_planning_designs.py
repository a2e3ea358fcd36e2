"""Planning against hand calculations and published closed forms."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm

from readerstudy.stats import (
    auc_precision,
    cases_for_width,
    kappa_precision,
    turing_cases_needed,
    turing_power,
)
from readerstudy.stats.figures import to_svg
from readerstudy.stats.figures_planning import planning_curve
from readerstudy.stats.sample_size import AIMS, plan


def test_equivalence_of_a_true_guesser_as_by_hand():
    # n = (z[.95] + z[.90])² · ¼ / 0.1² = (1.6449 + 1.2816)² · 25 = 214.1
    assert turing_cases_needed(1, margin=0.1, icc=0.0).n_cases == 215
    # four readers, correlation 0.1: 1.3 times the reads, 278.3 over 4 readers
    assert turing_cases_needed(4, margin=0.1, icc=0.1).n_cases == 70


def test_equivalence_away_from_guessing_as_in_chow_shao_and_wang():
    # chapter 4.1: n = (z[.95] + z[.80])² p (1 - p) / (margin - |p - p0|)², one side decides
    p, margin = 0.54, 0.1
    n = (norm.ppf(0.95) + norm.ppf(0.8)) ** 2 * p * (1 - p) / (margin - 0.04) ** 2
    assert turing_cases_needed(1, accuracy=p, margin=margin, icc=0).n_cases == math.ceil(n)


def test_difference_from_guessing_as_by_hand():
    # one proportion, z test: n = ((z[.975] ½ + z[.9] √(p q)) / (p - ½))² for p = 0.65
    n = ((1.959964 * 0.5 + 1.281552 * math.sqrt(0.65 * 0.35)) / 0.15) ** 2
    found = turing_cases_needed(1, accuracy=0.65, icc=0, power=0.9, aim="difference")
    assert found.n_cases == math.ceil(n)


def test_power_at_the_margin_is_the_level():
    found = turing_power(10_000, 1, accuracy=0.6, margin=0.1, icc=0)
    assert found.power == pytest.approx(0.05, abs=1e-9)


def test_an_accuracy_on_the_margin_is_never_equivalent():
    found = turing_cases_needed(4, accuracy=0.6, margin=0.1)
    assert math.isnan(found.power)
    assert found.reason


@pytest.mark.parametrize(("kappa", "share"), [(0.6, 0.5), (0.3, 0.2), (0.8, 0.1), (0.0, 0.4)])
def test_two_raters_have_the_variance_of_bloch_and_kraemer(kappa, share):
    inner = (1 - kappa) * (1 - 2 * kappa) + kappa * (2 - kappa) / (2 * share * (1 - share))
    found = kappa_precision(150, kappa=kappa, prevalence=share)
    assert found.se == pytest.approx(math.sqrt((1 - kappa) * inner / 150), rel=1e-12)


def test_without_agreement_many_raters_have_the_null_variance_of_fleiss():
    # Fleiss, Nee and Landis 1979, two categories: 2 / (n m (m - 1))
    found = kappa_precision(80, kappa=0.0, prevalence=0.3, raters=5)
    assert found.se**2 == pytest.approx(2 / (80 * 5 * 4), rel=1e-12)


def test_the_area_has_the_error_of_hanley_and_mcneil():
    # Radiology 1982;143:29, p. 33: W = 0.893, 51 abnormal and 58 normal cases, SE = 0.032
    assert auc_precision(51, 58, auc=0.893).se == pytest.approx(0.032, abs=0.0006)


def test_the_fewest_cases_give_the_width_and_one_less_does_not():
    def precision(cases):
        return kappa_precision(cases, kappa=0.7, prevalence=0.3, raters=3)

    found = cases_for_width(0.25, precision)
    assert found.width <= 0.25 < precision(found.n - 1).width


@pytest.mark.parametrize("aim", AIMS)
def test_every_aim_gives_a_table_a_curve_and_a_sentence(aim):
    found = plan(aim, {"accuracy": 0.65} if aim == "difference" else {})
    assert found.chosen.cases > 0
    assert str(found.chosen.cases) in found.sentence
    assert found.assumptions
    chart = planning_curve(
        found.curve, target=found.target, axis=found.measure, chosen=found.inputs.readers
    )
    assert to_svg(chart).startswith("<svg")


def test_mrmc_plan_is_that_of_the_power_function():
    # Hillis and Schartz 2018 components of Van Dyke: test_mrmc_planning holds the power to RJafroc
    found = plan("mrmc", {"readers": 8, "power": 0.9})
    assert found.chosen.reads == 2 * 8 * found.chosen.cases
    assert found.chosen.reached >= 0.9


def test_what_is_out_of_range_is_refused_in_words():
    with pytest.raises(ValueError, match="accuracy must lie between 0 and 1"):
        turing_power(10, 2, accuracy=1.0)
    with pytest.raises(ValueError, match="no input called"):
        plan("auc", {"colour": 1.0})
    with pytest.raises(ValueError, match="aim must be one of"):
        plan("fame")
