"""Time to an event: R's survival on the same numbers, planted truth, two sources, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy import stats
from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import from_dict
from readerstudy.analysis.endpoints.survival import survival
from readerstudy.analysis.endpoints.survival_concordance import mean_concordance, pairs_of
from readerstudy.analysis.endpoints.survival_data import followed, markers_of
from readerstudy.analysis.endpoints.survival_sources import restricted_mean
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.making import dataset, item, question, read

TIME = [5, 8, 12, 3, 9, 15, 22, 7, 11, 18, 2, 6, 14, 20, 4, 10, 16, 25, 1, 13, 19, 21, 17, 24]
EVENT = [1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0]
FIRST = [3, 2, 1, 3, 2, 1, 0, 2, 2, 0, 3, 3, 1, 1, 3, 1, 0, 0, 2, 2, 1, 0, 1, 0]
SECOND = [3, 3, 2, 2, 1, 1, 0, 3, 1, 1, 3, 2, 2, 0, 2, 1, 1, 1, 3, 1, 0, 1, 2, 0]
GRADE = question("grade", "0", "1", "2", "3", kind="ordinal")
ARMS = (("std", "Standard"), ("cbv", "With CBV"))


def plan(*methods, **more):
    made = {"unit": "subject", "time": "os", "event": "dead", "draws": 400, **more}
    return PlannedAnalysis("v", "Survival", "grade", "survival", methods=methods, **made)


def patients(time=TIME, event=EVENT, **more):
    return [
        item(
            f"C{n:03}",
            subject=f"P{n:03}",
            references={"os": str(t), "dead": str(e), **{k: str(v[n]) for k, v in more.items()}},
        )
        for n, (t, e) in enumerate(zip(time, event, strict=True))
    ]


def study(items, **scores):
    """A data set of scores by ``arm_reader``."""
    reads = [
        read(name.partition("_")[2], of, {"grade": str(value)}, arm=name.partition("_")[0])
        for name, values in scores.items()
        for of, value in zip(items, values, strict=True)
    ]
    arms = {name.partition("_")[0] for name in scores}
    return dataset(reads, items, questions=[GRADE], arms=ARMS if "cbv" in arms else ())


def table(section, code):
    return next(one for one in section.tables if one.code == code)


def row_of(section, code, name, column="by"):
    rows = table(section, code).rows
    return next(row.cells for row in rows if row.cells[column] == name)


def test_one_reader_as_the_survival_package():
    section = survival(study(patients(), main_R1=FIRST), plan(horizons=(10.0,)))
    # survfit(Surv(time, event) ~ 1, conf.type = "log-log")
    everyone = table(section, "curves").rows[0].cells
    assert (everyone["median"].value, everyone["median"].low, everyone["median"].high) == (
        14,
        7,
        21,
    )
    at = everyone["at_10"]
    assert (at.value, at.low, at.high) == pytest.approx((0.625, 0.403019741275, 0.784209063693))
    # survdiff(Surv(time, event) ~ grade)
    logrank = next(test for test in section.tests if test.name.startswith("Log-rank"))
    assert (logrank.statistic, logrank.df) == (pytest.approx(36.3392800657), "3")
    # coxph(Surv(time, event) ~ grade)
    cox = row_of(section, "cox", "R1")
    assert (cox["ratio"].value, cox["ratio"].low, cox["ratio"].high) == pytest.approx(
        (15.37489984699, 3.71415252307, 63.64508291920), rel=1e-6
    )
    assert cox["p"].value == pytest.approx(0.00016303753915, rel=1e-5)
    # concordance(Surv(time, event) ~ grade, reverse = TRUE)
    assert row_of(section, "concordance", "R1")["c"].value == pytest.approx(0.875)
    risk = table(section, "risk_main_r1")
    assert [c.value for k, c in risk.rows[0].cells.items() if k != "group"] == [6, 6, 6, 6, 4, 1]
    assert len(section.figures) == 1


def test_difference_of_arms_is_paired_over_patients():
    data = study(patients(), std_R1=SECOND, cbv_R1=FIRST)
    section = survival(data, plan("harrell_c", arms=("std", "cbv"), draws=4000))
    difference = row_of(section, "concordance", "With CBV less Standard")["c"]
    # concordance(m1, m2): 0.875 - 0.8146551724 with standard error 0.0504145247152
    assert difference.value == pytest.approx(0.0603448275862)
    main = section.tests[0]
    assert main.code == "main"
    assert difference.value / main.statistic == pytest.approx(0.0504145, rel=0.15)
    assert difference.low < difference.value < difference.high


def test_pairs_and_their_linearised_variance_are_those_of_the_statistics():
    items = patients()
    data = study(items, main_R1=FIRST)
    known = followed(data, "os", "dead")
    (marker,) = markers_of(data, plan())
    pairs = pairs_of(known, marker)
    found = stats.harrell_c(TIME, EVENT, FIRST)
    assert pairs.c == pytest.approx(found.c)
    assert math.sqrt(float(np.sum(pairs.influence() ** 2))) == pytest.approx(found.se, rel=0.05)
    slow = mean_concordance(known, [marker], level=0.95, draws=3000, seed=1)
    fast = mean_concordance(known, [marker], level=0.95, draws=10**12, seed=1)
    assert "linearised" in fast.method
    assert slow.se == pytest.approx(fast.se, rel=0.25)  # 24 patients


def test_planted_gain_of_an_arm_is_recovered_over_readers():
    rng = np.random.default_rng(7)
    n = 400
    risk = rng.normal(size=n)
    died = rng.exponential(12 * np.exp(-risk))
    end = rng.uniform(5, 40, size=n)
    items = patients(np.round(np.minimum(died, end), 3), (died <= end).astype(int))
    scores = {
        f"{arm}_R{r}": np.clip(np.round(1.5 + risk + rng.normal(0, noise, n)), 0, 3).astype(int)
        for arm, noise in (("std", 2.0), ("cbv", 0.3))
        for r in range(3)
    }
    section = survival(study(items, **scores), plan(arms=("std", "cbv"), horizons=(12.0,)))
    means = [row.cells for row in table(section, "concordance").rows if row.strong]
    assert means[0]["c"].value < 0.63 < 0.67 < means[1]["c"].value
    assert means[2]["c"].low > 0.02
    assert section.tests[0].p < 0.001
    areas = table(section, "areas").rows
    assert len(areas) == 8
    assert row_of(section, "areas", "All readers, With CBV")["at_12"].has_interval
    assert row_of(section, "cox", "R1, With CBV")["ratio"].low > 1


def test_covariates_predict_beside_answers_and_can_be_turned():
    items = patients(ttp=TIME, age=[60 + n % 7 for n in range(24)])
    section = survival(
        study(items, main_R1=SECOND), plan("harrell_c", "cox", covariates=("-ttp", "age"))
    )
    # the time itself, turned, orders all comparable pairs rightly
    assert row_of(section, "concordance", "ttp, lower is worse")["c"].value == 1.0
    assert {test.code for test in section.tests} == {"covariates"}
    adjusted = row_of(section, "cox", "R1")
    assert "adjusted for ttp" in table(section, "cox").method
    assert adjusted["adjusted"].value > 0 or adjusted["adjusted"].reason


def test_two_sources_of_one_time_are_compared_on_the_same_patients():
    rng = np.random.default_rng(3)
    n = 300
    true = rng.exponential(10, size=n)
    end = rng.uniform(5, 30, size=n)
    late = true * 1.1 + 0.5  # progression is seen later on synthetic images
    items = [
        item(
            f"C{k:03}",
            subject=f"P{k:03}",
            references={
                "ttp_true": f"{min(true[k], end[k]):.4f}",
                "event_true": str(int(true[k] <= end[k])),
                "ttp_syn": f"{min(late[k], end[k]):.4f}",
                "event_syn": str(int(late[k] <= end[k])),
            },
        )
        for k in range(n)
    ]
    section = survival(
        study(items, main_R1=[k % 4 for k in range(n)]),
        plan(
            "kaplan_meier",
            time="ttp_true, ttp_syn",
            event="event_true, event_syn",
            horizons=(15.0,),
        ),
    )
    found = table(section, "sources_means").rows[-1].cells["mean"]
    # integral over 0..15 of the difference of the two survival functions
    grid = np.linspace(0, 15, 150001)
    first = np.exp(-grid / 10)
    second = np.where(grid < 0.5, 1.0, np.exp(-(grid - 0.5) / 11))
    assert found.low < np.trapezoid(second - first, grid) < found.high
    assert section.tests[0].code == "main"
    assert section.tests[0].p < 0.001
    assert "longer than by ttp true" in section.lead[0]
    events = table(section, "sources_events").rows
    assert events[1].cells["event"].value == 0  # nobody progresses on synthetic images alone
    times = table(section, "sources_times").rows[0].cells
    assert times["bias"].value > 0.5


def test_restricted_mean_as_survfit():
    # print(survfit(Surv(time, event) ~ 1), print.rmean = TRUE, rmean = 20)
    found = restricted_mean(np.array(TIME), np.array(EVENT), np.ones((1, 24)), 20.0)
    assert found[0] == pytest.approx(12.7641369048)


def test_one_record_for_each_patient_and_unusable_times_are_counted():
    items = [
        item("A1", subject="P1", references={"os": "5", "dead": "1"}),
        item("A2", subject="P1", references={"os": "6", "dead": "1"}),
        item("B", subject="P2", references={"os": "8", "dead": "no"}),
        item("C", subject="P3", references={"os": "soon", "dead": "1"}),
        item("D", subject="P4", references={"os": "-2", "dead": "1"}),
        item("E", subject="P5", references={"os": "7", "dead": "perhaps"}),
        item("F", subject="P6"),
    ]
    section = survival(study(items, main_R1=[3, 1, 2, 2, 1, 0, 0]), plan())
    assert table(section, "curves").n == (
        "2 patients, 1 event, 1 left out (a time below 0), 1 left out (time or event not known), "
        "1 left out (“perhaps” does not say whether the event came), 1 left out (“soon” is no time)"
    )
    assert any("different times" in b.text for b in section.blocks if b.kind == "passage")


def test_two_levels_with_confidence_make_a_graded_score():
    asked = question("dies", "no", "yes", truth={"source": "reference"})
    sure = question("sure", "1", "2", "3", kind="confidence", bound_to="dies")
    items = patients(TIME[:4], [1, 1, 1, 1])
    given = [("no", "3"), ("no", "1"), ("yes", "1"), ("yes", "3")]
    reads = [
        read("R1", of, {"dies": a, "sure": b}) for of, (a, b) in zip(items, given, strict=True)
    ]
    data = dataset(reads, items, questions=[asked, sure])
    entry = PlannedAnalysis(
        "v", "S", "dies", "survival", time="os", event="dead", confidence="sure"
    )
    (marker,) = markers_of(data, entry)
    assert list(marker.values.values()) == [1, 3, 4, 6]
    assert marker.groups == ("No", "Yes")


def test_nominal_answers_have_curves_and_no_order():
    asked = question("site", "left", "right", "both")
    items = patients()
    names = ("left", "right", "both")
    reads = [read("R1", of, {"site": names[n % 3]}) for n, of in enumerate(items)]
    entry = PlannedAnalysis("v", "S", "site", "survival", time="os", event="dead")
    section = survival(dataset(reads, items, questions=[asked]), entry)
    assert len(table(section, "curves").rows) == 4
    assert row_of(section, "concordance", "R1")["c"].reason
    assert row_of(section, "cox", "R1")["ratio"].reason


def test_what_cannot_be_computed_says_why():
    constant = survival(study(patients(), main_R1=[2] * 24), plan(horizons=(10.0, 99.0)))
    assert row_of(constant, "concordance", "R1")["c"].reason == "all scores are equal"
    assert row_of(constant, "cox", "R1")["ratio"].reason == "a term does not vary"
    assert row_of(constant, "areas", "R1")["at_10"].reason == "all scores are equal"
    assert "in one group" in row_of(constant, "logrank", "R1")["chi2"].reason
    assert table(constant, "curves").rows[0].cells["at_99"].reason == "follow-up ends before 99"
    unknown = survival(study(patients(), main_R1=FIRST), plan("kaplan_meier", "auc"))
    texts = " ".join(block.text for block in unknown.blocks if block.kind == "passage")
    assert "auc: **not computed**" in texts
    assert "is not reported" in texts


@pytest.mark.parametrize(
    ("items", "more", "reason"),
    [
        (patients(), {"time": "", "event": ""}, "must name one time and one event"),
        (patients(), {"time": "a,b"}, "must name one time and one event"),
        (patients(), {"time": "pfs"}, "no patient has a time “pfs”"),
        (patients(TIME, [0] * 24), {}, "none of 24 patients had the event"),
        ([], {}, "no patient has a time"),
    ],
)
def test_plans_that_cannot_be_carried_out_say_why(items, more, reason):
    data = study(items, main_R1=FIRST[: len(items)])
    document = carry_out(data, [Entry(plan(**more))])
    assert reason in document.sections[0].lead[0]


def test_without_answers_measurements_still_speak():
    items = patients(ttp=TIME)
    section = survival(dataset([], items, questions=[GRADE]), plan(covariates=("ttp",)))
    assert row_of(section, "concordance", "ttp")["c"].value == 0.0
    assert len(section.figures) == 1


def test_subgroups_and_a_document_that_can_be_stored():
    items = patients()
    data = study(items, main_R1=FIRST, main_R2=SECOND)
    entry = plan(subgroups=("stratum",), horizons=(10.0,), covariates=())
    document = carry_out(data, [Entry(entry)])
    assert table(document.sections[0], "subgroup_stratum").rows
    assert from_dict(document.to_dict()).to_dict() == document.to_dict()
