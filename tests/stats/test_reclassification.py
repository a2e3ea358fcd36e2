"""Net reclassification and discrimination improvement against R, by hand, and by invariances."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy import stats
from readerstudy.stats.reclassification import CAUTION
from tests.stats.golden import close, golden, reference

PROBABILITY = st.integers(0, 20).map(lambda i: i / 20)


@st.composite
def predictions(draw):
    """Two models on at least two subjects of each class."""
    n = draw(st.integers(4, 25))
    truth = [1, 1, 0, 0, *draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))]
    pairs = [draw(st.lists(PROBABILITY, min_size=n + 4, max_size=n + 4)) for _ in range(2)]
    return np.array(truth), np.array(pairs[0]), np.array(pairs[1])


def test_category_free_nri_equals_the_r_packages():
    case = golden("nri_idi_pima")
    data, expected = case["data"], case["expected"]["category_free"]
    result = stats.nri_continuous(data["y"], data["p1"], data["p2"])
    for name, value in {
        "value": expected["nri"],
        "events": expected["nri_events"],
        "nonevents": expected["nri_nonevents"],
        "up_events": expected["up_events"],
        "down_events": expected["down_events"],
        "up_nonevents": expected["up_nonevents"],
        "down_nonevents": expected["down_nonevents"],
        "se": expected["se_pencina2011"],
        "z": expected["z_2011"],
        "pvalue": expected["p_2011"],
        "se_null": expected["se_null_pencina2008"],
        "z_null": expected["z_null"],
        "p_null": expected["p_null"],
        "z_events": expected["z_events_null"],
        "p_events": expected["p_events_null"],
        "z_nonevents": expected["z_nonevents_null"],
        "p_nonevents": expected["p_nonevents_null"],
        "low": expected["ci_2011"][0],
        "high": expected["ci_2011"][1],
    }.items():
        assert getattr(result, name) == close(value, case["tolerance"]), name


def test_categorical_nri_equals_the_r_packages():
    case = golden("nri_idi_pima")
    data, expected = case["data"], case["expected"]["categorical"]
    result = stats.nri_categorical(data["y"], data["p1"], data["p2"], cutoffs=data["cutoffs"])
    assert [result.value, result.z, result.z_null, result.low, result.high] == close(
        [expected["nri"], expected["z_2011"], expected["z_null"], *expected["ci_2011"]],
        case["tolerance"],
    )
    assert [result.up_events, result.down_nonevents] == close(
        [expected["up_events"], expected["down_nonevents"]]
    )


def test_idi_equals_the_r_packages():
    case = golden("nri_idi_pima")
    data, expected = case["data"], case["expected"]["idi"]
    result = stats.idi(data["y"], data["p1"], data["p2"])
    assert [result.value, result.se, result.z, result.pvalue, result.relative] == close(
        [
            expected["idi"],
            expected["hmisc_se"],
            expected["hmisc_z"],
            expected["hmisc_p"],
            expected["relative_idi"],
        ],
        case["tolerance"],
    )
    assert [result.slope_old, result.slope_new] == close(
        [expected["discrimination_slope_1"], expected["discrimination_slope_2"]]
    )
    assert [result.events, -result.nonevents] == close(
        [expected["is_gain_events"], expected["ip_loss_nonevents"]]
    )
    assert [result.low, result.high] == close(expected["ci_pencina"])


def test_fresh_data_with_ties_equal_hmisc():
    case = reference("reclassification")
    arguments = (case["y"], case["old"], case["new"])
    continuous, idi = stats.nri_continuous(*arguments), stats.idi(*arguments)
    categorical = stats.nri_categorical(*arguments, cutoffs=case["cutoffs"])
    assert {k: getattr(continuous, k) for k in case["continuous"]} == {
        k: close(v) for k, v in case["continuous"].items()
    }
    assert {k: getattr(idi, k) for k in case["idi"]} == {
        k: close(v) for k, v in case["idi"].items()
    }
    assert [categorical.events, categorical.nonevents] == close(
        [case["categorical"]["events"], case["categorical"]["nonevents"]]
    )


def test_hand_worked_example():
    # events: 3 of 4 up, 1 down; non-events: 1 of 5 up, 2 down
    truth = [1, 1, 1, 1, 0, 0, 0, 0, 0]
    old = [0.4, 0.5, 0.6, 0.7, 0.3, 0.3, 0.3, 0.3, 0.3]
    new = [0.5, 0.6, 0.7, 0.6, 0.2, 0.2, 0.4, 0.3, 0.3]
    result = stats.nri_continuous(truth, old, new)
    assert (result.events, result.nonevents) == pytest.approx((0.5, 0.2))
    variance = (1 - 0.5**2) / 4 + (0.6 - 0.2**2) / 5
    assert result.se == pytest.approx(math.sqrt(variance))
    assert result.se_null == pytest.approx(math.sqrt(1 / 4 + 0.6 / 5))


def test_value_on_a_cutoff_belongs_to_the_upper_category():
    result = stats.nri_categorical([1, 0], [0.4, 0.4], [0.5, 0.49], cutoffs=[0.5])
    assert (result.up_events, result.up_nonevents) == (1.0, 0.0)


def test_fits_that_differ_in_the_last_bits_did_not_move():
    old = np.array([0.1 + 0.2, 0.4])
    result = stats.nri_continuous([1, 0], old, np.array([0.3, 0.4]))
    assert (result.up_events, result.down_events) == (0.0, 0.0)


@given(predictions())
def test_swapping_the_models_changes_the_sign(data):
    truth, old, new = data
    for function in (stats.nri_continuous, stats.idi):
        forth, back = function(truth, old, new), function(truth, new, old)
        assert forth.value == pytest.approx(-back.value)
        assert forth.se == pytest.approx(back.se)


@given(predictions(), st.randoms(use_true_random=False))
def test_order_of_subjects_does_not_matter(data, random):
    truth, old, new = data
    order = list(range(truth.size))
    random.shuffle(order)
    for function in (stats.nri_continuous, stats.idi):
        a, b = function(truth, old, new), function(truth[order], old[order], new[order])
        assert (a.value, a.events, a.se) == pytest.approx((b.value, b.events, b.se))


@given(predictions())
def test_category_free_nri_keeps_under_a_monotone_map(data):
    truth, old, new = data
    plain = stats.nri_continuous(truth, old, new)
    mapped = stats.nri_continuous(truth, old**3, new**3)
    assert plain.value == pytest.approx(mapped.value)


@given(predictions())
def test_swapping_the_classes_keeps_value_and_exchanges_the_parts(data):
    truth, old, new = data
    for function in (stats.nri_continuous, stats.idi):
        a, b = function(truth, old, new), function(1 - truth, 1 - old, 1 - new)
        assert (a.value, a.events, a.nonevents) == pytest.approx((b.value, b.nonevents, b.events))


@given(predictions())
def test_categorical_nri_with_every_bound_is_the_category_free_one(data):
    truth, old, new = data
    bounds = [(2 * i + 1) / 40 for i in range(20)]
    fine = stats.nri_categorical(truth, old, new, cutoffs=bounds)
    assert fine.value == pytest.approx(stats.nri_continuous(truth, old, new).value)


@given(predictions())
def test_idi_is_the_difference_of_the_slopes(data):
    result = stats.idi(*data)
    assert result.value == pytest.approx(result.slope_new - result.slope_old)
    assert result.value == pytest.approx(result.events + result.nonevents)


def test_no_movement_gives_zero_without_a_test():
    result = stats.nri_continuous([1, 1, 0, 0], [0.2, 0.4, 0.1, 0.3], [0.2, 0.4, 0.1, 0.3])
    assert result.value == 0
    assert math.isnan(result.z)
    assert math.isnan(result.pvalue)
    assert "no prediction moved" in result.reason


def test_all_moved_the_same_way_keeps_the_null_test():
    result = stats.nri_continuous([1, 1, 0, 0], [0.2, 0.4, 0.2, 0.3], [0.3, 0.5, 0.1, 0.2])
    assert result.value == 2
    assert math.isnan(result.z)
    assert result.z_null == pytest.approx(2.0)
    assert "variance of Pencina 2011 is 0" in result.reason


def test_equal_changes_have_no_variance_in_the_idi():
    result = stats.idi([1, 1, 0, 0], [0.2, 0.4, 0.2, 0.3], [0.3, 0.5, 0.1, 0.2])
    assert result.value == pytest.approx(0.2)
    assert math.isnan(result.z)
    assert "no variance" in result.reason


@pytest.mark.parametrize("truth", [[1, 1, 1], [0, 0, 0]])
def test_one_class_only_is_undefined_with_the_reason(truth):
    p = [0.1, 0.2, 0.3]
    for result in (
        stats.nri_continuous(truth, p, p[::-1]),
        stats.nri_categorical(truth, p, p[::-1], cutoffs=[0.2]),
        stats.idi(truth, p, p[::-1], ci="bootstrap"),
    ):
        assert math.isnan(result.value)
        assert "there are no" in result.reason
        assert result.to_dict()["value"] is None


def test_old_slope_of_zero_leaves_the_relative_improvement_undefined():
    result = stats.idi([1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5], [0.6, 0.8, 0.4, 0.4])
    assert math.isnan(result.relative)
    assert "relative improvement is undefined" in result.reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ([1, 0], [0.1, 1.2], [0.1, 0.2]),
            "p_old must hold probabilities.* got 1.2",
        ),
        (([1, 2], [0.1, 0.2], [0.1, 0.2]), "truth must be 0 or 1, got 2"),
        (([1, 0], [0.1], [0.1, 0.2]), "same length"),
        (([1, 0], [0.1, math.nan], [0.1, 0.2]), "p_old has 1 missing"),
    ],
)
def test_bad_input_is_refused_in_words(arguments, message):
    for function in (stats.nri_continuous, stats.idi):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


@pytest.mark.parametrize("cutoffs", [[], [0.5, 0.2], [0.0, 0.5], [1.0]])
def test_cutoffs_must_increase_inside_the_unit_interval(cutoffs):
    with pytest.raises(ValueError, match="increasing numbers strictly between 0 and 1"):
        stats.nri_categorical([1, 0], [0.1, 0.2], [0.1, 0.2], cutoffs=cutoffs)


def test_missing_rows_are_dropped_and_counted_on_request():
    result = stats.idi(
        [1, 0, 1, 0], [0.5, 0.4, math.nan, 0.1], [0.6, 0.3, 0.5, 0.2], missing="omit"
    )
    assert (result.n, result.n_dropped) == (3, 1)


def test_bootstrap_limits_cover_like_the_normal_ones_and_name_the_seed():
    case = reference("reclassification")
    arguments = (case["y"], case["old"], case["new"])
    for function in (stats.nri_continuous, stats.idi):
        normal, boot = function(*arguments), function(*arguments, ci="bootstrap", seed=7)
        again = function(*arguments, ci="bootstrap", seed=7)
        assert (boot.low, boot.high) == (again.low, again.high)
        # percentile and normal limits agree for n = 180 to a tenth of their width
        slack = 0.1 * (normal.high - normal.low)
        assert boot.low == pytest.approx(normal.low, abs=slack)
        assert boot.high == pytest.approx(normal.high, abs=slack)
        assert "seed 7" in boot.method
    with pytest.raises(ValueError, match="n_boot must be at least 100"):
        stats.nri_continuous(*arguments, ci="bootstrap", n_boot=50)


def test_every_result_carries_the_caution():
    result = stats.nri_continuous([1, 1, 0, 0], [0.2, 0.4, 0.2, 0.3], [0.3, 0.3, 0.1, 0.4])
    assert CAUTION in result.warnings
