"""Virtual readers give answers that fit, and many of them have the values that were planted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from readerstudy import stats
from readerstudy.rehearsal import planted
from readerstudy.rehearsal.assumptions import Assumptions, BadAssumption, parse
from readerstudy.rehearsal.virtual_readers import Aim, Shown, Skill, Slot, VirtualReader
from readerstudy.studies.answers import QuestionSpec, check_form

ALIKE = Assumptions(reader_spread=0, arm_spread=0, not_evaluable=0, optional=1)
INDEPENDENT = {"case_share": 0.0, "arm_case_share": 0.0, "reader_case_share": 0.0}
SLOT = Slot("t1", "axial", ([-40, -50, -30], [40, 50, 30]))
FORM = (
    QuestionSpec("origin", "single", ("real", "synthetic")),
    QuestionSpec("sure", "confidence", ("1", "2", "3", "4", "5"), bound_to="origin"),
    QuestionSpec("line", "confidence", bound_to="origin", minimum=0, maximum=100),
    QuestionSpec("shape", "single", ("a", "b", "c"), may_be_not_evaluable=True),
    QuestionSpec("quality", "ordinal", ("1", "2", "3", "4")),
    QuestionSpec("cues", "multi", ("x", "y"), required=False),
    QuestionSpec("why", "text", show_if={"all": [{"question": "origin", "is": ["synthetic"]}]}),
    QuestionSpec("size", "number", minimum=0, maximum=80, whole=True),
    QuestionSpec("which", "place", places=2, equal=True),
    QuestionSpec("order", "ranking", places=2),
    *(
        QuestionSpec(kind, "region", region={"kind": kind, "role": None})
        for kind in ("point", "length", "ellipse")
    ),
)


def readers(count: int, stated: Assumptions = ALIKE) -> list[VirtualReader]:
    return [VirtualReader(f"R{n}", "seed", stated) for n in range(count)]


def shown(number: int, **more) -> Shown:
    right = ("real", "synthetic")[number % 2]
    aims = {"origin": Aim("real", "synthetic", right), "which": Aim(member=0)}
    return Shown(f"c{number}", aims=aims, **{"sides": (1, 0), **more})


def table(spec: QuestionSpec, people: list[VirtualReader], cases: int) -> np.ndarray:
    return np.array(
        [[one.answers([spec], shown(n))[spec.code] for one in people] for n in range(cases)]
    )


def test_every_kind_of_question_is_answered_as_the_rules_ask():
    for stated in (Assumptions(), Assumptions(not_evaluable=0.5, optional=0.3)):
        for one in readers(3, stated):
            for number in range(60):
                check_form(FORM, one.answers(FORM, shown(number), [SLOT]))


def test_the_same_names_give_the_same_answers_in_any_order():
    first, again = readers(1)[0], readers(1)[0]
    forth = [first.answers(FORM, shown(n), [SLOT]) for n in range(20)]
    back = [again.answers(FORM, shown(n), [SLOT]) for n in reversed(range(20))]
    assert forth == back[::-1]
    other = VirtualReader("R0", "other seed", ALIKE)
    assert forth != [other.answers(FORM, shown(n), [SLOT]) for n in range(20)]


def test_accuracy_is_phi_of_half_dprime():
    stated = Assumptions(**{**vars(ALIKE), **INDEPENDENT, "dprime": 1.5})
    answers = table(FORM[0], readers(4, stated), 1000)
    truth = np.array([("real", "synthetic")[n % 2] for n in range(1000)])
    share = float(np.mean(answers == truth[:, None]))
    expected = norm.cdf(0.75)  # Macmillan and Creelman: unbiased, equal variance
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 4000))
    assert planted.accuracy([Skill(1.5, 0, 0)], 0.5) == pytest.approx(expected)


def test_two_alternatives_are_right_with_phi_of_dprime_over_root_two():
    stated = Assumptions(**{**vars(ALIKE), **INDEPENDENT, "dprime": 1.0})
    spec = QuestionSpec("which", "place", places=2)
    answers = table(spec, readers(4, stated), 1000)
    share = float(np.mean(answers.astype(int) == 1))  # sides (1, 0): member 0 stands in place 1
    expected = norm.cdf(1 / math.sqrt(2))
    assert share == pytest.approx(expected, abs=4 * math.sqrt(expected * (1 - expected) / 4000))
    assert planted.right_choices([Skill(1.0, 0, 0)], 2) == pytest.approx(expected)
    # of four: all three differences, with covariances 1 and variances 2, lie above 0
    four = multivariate_normal([0, 0, 0], np.eye(3) + 1).cdf([1, 1, 1])
    assert planted.right_choices([Skill(1.0, 0, 0)], 4) == pytest.approx(four, abs=1e-4)


def test_kappa_of_nominal_answers_is_the_stated_agreement():
    stated = Assumptions(**{**vars(ALIKE), "agreement": 0.5})
    spec = QuestionSpec("shape", "single", ("a", "b", "c"))
    found = stats.fleiss_kappa(table(spec, readers(4, stated), 1500))
    assert abs(found.value - 0.5) < 4 * found.se


def test_ordered_answers_have_the_planted_weighted_kappa():
    spec = QuestionSpec("quality", "ordinal", ("1", "2", "3", "4"))
    people = readers(3)
    found = stats.light_kappa(
        table(spec, people, 1500), categories=["1", "2", "3", "4"], weights="quadratic"
    )
    assert abs(found.value - planted.ordinal_kappa(ALIKE, planted.skills(people), 4)) < 4 * found.se


def test_fine_grades_approach_the_binormal_area():
    # area under the binormal curve: Phi(d' / sqrt 2)
    exact = norm.cdf(1.2 / math.sqrt(2))
    areas = [planted.graded_auc(1.2, 0.1, levels) for levels in (1, 5, 60)]
    assert areas == sorted(areas)
    assert areas[-1] == pytest.approx(exact, abs=1e-3)
    # one level: the mean of sensitivity and specificity
    assert areas[0] == pytest.approx((norm.cdf(0.5) + norm.cdf(0.7)) / 2)


def test_a_population_of_readers_has_the_area_of_the_wider_normal():
    stated = Assumptions(**{**vars(ALIKE), "dprime": 1.0, "reader_spread": 0.6})
    found = planted.population_auc(stated, 0, origin=True, levels=None)
    assert found == pytest.approx(norm.cdf(1 / math.sqrt(2 + 0.36)), abs=1e-6)


def test_kappa_of_calls_is_1_for_equal_evidence_and_as_chance_without_sensitivity():
    alike = planted.call_kappa([(0.5, -0.5)] * 2, correlation=0.999999, share_signal=0.5)
    assert alike == pytest.approx(1, abs=0.01)
    # tetrachoric: thresholds at 0, kappa = (2 / pi) arcsin(correlation)
    found = planted.call_kappa([(0.0, 0.0)] * 2, correlation=0.6, share_signal=0.3)
    assert found == pytest.approx(2 / math.pi * math.asin(0.6), abs=1e-6)


def test_a_repeated_case_is_read_more_alike_by_one_reader_than_by_two():
    spec = QuestionSpec("shape", "single", ("a", "b", "c"))
    one, other = readers(2)
    again = [
        one.answers([spec], shown(n)) == one.answers([spec], shown(n, repeat=1)) for n in range(800)
    ]
    apart = [one.answers([spec], shown(n)) == other.answers([spec], shown(n)) for n in range(800)]
    assert 1 > np.mean(again) > np.mean(apart) + 0.05


def test_the_time_falls_to_the_stated_median():
    stated = Assumptions(seconds=30, learning=1.0, learning_cases=5)
    one = VirtualReader("R1", "seed", stated)
    late = [one.seconds(n) for n in range(200, 1400)]
    assert np.median(late) == pytest.approx(30, rel=0.06)
    early = [VirtualReader(f"R{k}", "seed", stated).seconds(0) for k in range(800)]
    assert np.median(early) == pytest.approx(60, rel=0.06)
    clock = one.clock(3)
    assert sum(clock.values()) == pytest.approx(1000 * one.seconds(3), abs=2)


def test_assumptions_out_of_range_are_refused_in_words():
    with pytest.raises(BadAssumption, match="Agreement must lie between 0 and 1"):
        parse({"agreement": 2})
    with pytest.raises(BadAssumption, match="no assumption called luck"):
        parse({"luck": 1})
    with pytest.raises(BadAssumption, match="must be a number"):
        parse({"dprime": "high"})
