"""Pooled accuracy of readers who read the same cases, against closed forms and R."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from readerstudy import stats

# R: k <- c(2,1,0,2,1,2,2,0,1,2); p <- sum(k)/20; I <- 10
#    se <- sqrt(I/(I-1) * sum((k - 2*p)^2)) / 20; 2*pnorm(-abs((p-.5)/se))
TOTALS = (2, 1, 0, 2, 1, 2, 2, 0, 1, 2)
P, SE, P_VALUE = 0.65, 0.13017082793177759, 0.24918470526149705


def reads(totals=TOTALS):
    success = [float(i < k) for k in totals for i in range(2)]
    return success, [case for case in range(len(totals)) for _ in range(2)]


def test_estimate_error_and_test_equal_the_formula_evaluated_in_r():
    result = stats.clustered_against(*reads())
    assert result.value == P
    assert result.se == pytest.approx(SE, abs=1e-12)
    assert result.p_two_sided == pytest.approx(P_VALUE, abs=1e-12)
    assert result.n_clusters == 10


def test_single_reads_per_case_are_the_binomial_variance_with_the_sample_factor():
    success = [1.0] * 30 + [0.0] * 20
    result = stats.clustered_against(success, list(range(50)))
    assert result.se == pytest.approx(math.sqrt(0.6 * 0.4 / 49), rel=1e-12)


def test_equivalence_is_the_larger_of_two_one_sided_tests():
    result = stats.clustered_against(*reads(), margin=0.2)
    upper = scipy_stats.norm.cdf((P - 0.7) / SE)
    lower = scipy_stats.norm.sf((P - 0.3) / SE)
    assert result.p_equivalence == pytest.approx(max(upper, lower), abs=1e-12)
    assert result.equivalent is False


def test_equal_reads_of_all_cases_leave_no_test_and_say_why():
    result = stats.clustered_against([1.0] * 6, [1, 1, 2, 2, 3, 3], margin=0.1)
    assert math.isnan(result.p_two_sided)
    assert result.reason
    assert result.equivalent is False


def test_reads_that_agree_less_than_by_chance_carry_a_warning():
    success, cases = [1.0, 0.0] * 6, [c for c in range(6) for _ in range(2)]
    success[0:2] = [1.0, 1.0]
    result = stats.clustered_against(success, cases)
    assert result.design_effect < 1
    assert any("design effect below 1" in text for text in result.warnings)


@pytest.mark.parametrize("margin", [0.0, 0.5, -0.1])
def test_a_margin_outside_is_refused(margin):
    with pytest.raises(ValueError, match="margin"):
        stats.clustered_against(*reads(), margin=margin)


@given(st.permutations(range(10)))
def test_the_order_of_cases_does_not_matter(order):
    totals = [TOTALS[i] for i in order]
    result = stats.clustered_against(*reads(totals))
    assert result.se == pytest.approx(SE, abs=1e-12)
