"""Reclassification, logistic regression and survival from files, against R."""

from __future__ import annotations

import math

import pytest

from tests.stats.golden import close, golden, reference


@pytest.fixture
def predictions(make):
    known = reference("reclassification")
    rows = zip(range(len(known["y"])), known["y"], known["old"], known["new"], strict=True)
    return make("predictions.csv", ["case", "truth", "p_old", "p_new"], rows)


def test_nri_stands_beside_its_parts_and_idi(stats, predictions):
    known = reference("reclassification")
    found = stats("reclassification", predictions, "--ci", "asymptotic", "--json", "-")
    assert found.code == 0
    events, nonevents, both = found.rows("nri")
    assert [events["value"], nonevents["value"], both["value"]] == close(
        [known["continuous"][name] for name in ("events", "nonevents", "value")]
    )
    p = math.erfc(known["continuous"]["z"] / math.sqrt(2))
    assert both["pvalue"] == close(p)
    idi = found.rows("idi")[-1]
    assert idi["value"] == close(known["idi"]["value"])
    assert idi["low"] == close(known["idi"]["value"] - 1.959963984540054 * known["idi"]["se"])
    text = stats("reclassification", predictions).out
    assert "events" in text
    assert "non-events" in text
    assert "Do not report them alone" in " ".join(text.split())
    assert "percentile bootstrap" in " ".join(text.split())


def test_nri_over_categories_and_difference_of_aucs_equal_r(stats, make):
    known = golden("nri_idi_pima")
    data, expected = known["data"], known["expected"]
    path = make(
        "p.csv", ["truth", "old", "new"], zip(data["y"], data["p1"], data["p2"], strict=True)
    )
    cut = ("--cutoffs", "0.2,0.5", "--ci", "asymptotic")
    found = stats("reclassification", path, *cut, "--json", "-")
    both = found.rows("nri")[-1]
    assert [both["value"], both["pvalue"], both["p_null"]] == close(
        [expected["categorical"][name] for name in ("nri", "p_2011", "p_null")]
    )
    assert found.rows("auc")[0]["pvalue"] == close(expected["delong"]["p_value"])


def test_scores_that_are_no_probabilities_are_refused(stats, make):
    path = make("p.csv", ["truth", "old", "new"], [(0, 0.2, 3), (1, 0.4, 0.5)])
    found = stats("reclassification", path)
    assert found.code == 1
    assert "probabilities between 0 and 1, got 3" in found.err


def test_no_movement_is_undefined(stats, make):
    path = make("p.csv", ["truth", "old", "new"], [(i % 2, 0.3, 0.3) for i in range(10)])
    found = stats("reclassification", path, "--ci", "asymptotic")
    assert found.code == 2
    assert "no prediction moved" in found.out


@pytest.fixture
def patients(make):
    known = reference("regression")
    x = known["x"]
    grade = [
        ("high" if h else "middle" if m else "low")
        for m, h in zip(x["middle"], x["high"], strict=True)
    ]
    rows = zip(known["y"], x["age"], x["rim"], x["size"], grade, x["noise"], strict=True)
    return make("patients.csv", ["outcome", "age", "rim", "size", "grade", "noise"], rows)


TERMS = ("--terms", "age,rim,size,grade,noise", "--baseline", "grade=low")


def test_logistic_regression_equals_r(stats, patients):
    known = reference("regression")["fit"]
    found = stats("logistic", patients, *TERMS, "--ci", "profile-exact", "--json", "-")
    assert found.code == 0
    rows = {row["term"]: row for row in found.rows("model")}
    order = ["(Intercept)", "age", "rim", "size", "grade middle", "grade high", "noise"]
    for i, name in enumerate(order):
        row = rows[name]
        assert [row["beta"], row["se"]] == close([known["beta"][i], known["se"][i]], 1e-6)
        assert row["pvalue"] == close(known["p"][i], 1e-6)
        assert math.log(row["or_low"]) == close(known["profile_low"][i], 1e-6)
        assert math.log(row["or_high"]) == close(known["profile_high"][i], 1e-6)
    (fit,) = found.rows("fit")
    assert [fit["loglik"], fit["aic"], fit["bic"]] == close(
        [known["loglik"], known["aic"], known["bic"]], 1e-6
    )


def test_profile_limits_are_those_of_r_confint(stats, patients):
    known = reference("regression")["confint"][0]
    rows = stats("logistic", patients, *TERMS, "--ci", "profile", "--json", "-").rows("model")
    assert sorted(math.log(row["or_low"]) for row in rows) == close(sorted(known["low"]), 1e-6)
    assert sorted(math.log(row["or_high"]) for row in rows) == close(sorted(known["high"]), 1e-6)
    text = " ".join(stats("logistic", patients, *TERMS, "--ci", "profile").out.split())
    assert "by spline as R's confint (Venables & Ripley 2002)" in text


def test_elimination_takes_factors_as_a_whole(stats, patients):
    known = reference("regression")["elimination"]
    found = stats("logistic", patients, *TERMS, "--eliminate", 0.05, "--json", "-")
    assert [row["removed"] for row in found.rows("elimination")] == [
        step["removed"] for step in known["path"]
    ]
    assert [row["p"] for row in found.rows("elimination")] == close(
        [step["lrt_p"] for step in known["path"]], 1e-6
    )
    assert [row["term"] for row in found.rows("final")] == ["(Intercept)", *known["kept"]]
    text = " ".join(stats("logistic", patients, *TERMS, "--eliminate", 0.05).out.split())
    assert "Validate on new data" in text
    assert "grade: compared with low." in text


def test_one_binary_term_is_the_odds_ratio_of_its_table(stats, make):
    """20 of 30 against 5 of 20: odds ratio 6, Woolf's variance 1/20 + 1/10 + 1/5 + 1/15."""
    rows = [("yes", "sign")] * 20 + [("no", "sign")] * 10
    rows += [("yes", "none")] * 5 + [("no", "none")] * 15
    path = make("table.csv", ["outcome", "finding"], rows)
    found = stats("logistic", path, "--terms", "finding", "--univariable", "--json", "-")
    for table in ("model", "univariable"):
        row = found.rows(table)[-1]
        assert row["term"] == "finding sign"
        assert row["odds_ratio"] == pytest.approx(6.0)
        assert row["se"] ** 2 == pytest.approx(1 / 20 + 1 / 10 + 1 / 5 + 1 / 15)


def test_separated_classes_get_firths_penalty(stats, make):
    known = reference("regression")["firth"]
    rows = zip(known["y"], known["x1"], known["x2"], strict=True)
    path = make("separated.csv", ["outcome", "x1", "x2"], rows)
    found = stats("logistic", path, "--terms", "x1,x2", "--ci", "profile", "--json", "-")
    assert [row["beta"] for row in found.rows("model")] == close(known["beta"], 1e-4)
    assert [row["pvalue"] for row in found.rows("model")] == close(known["p_lr"], 1e-4)
    assert found.rows("fit")[0]["firth"] is True
    refused = stats("logistic", path, "--terms", "x1,x2", "--firth", "no")
    assert refused.code == 2
    assert "an odds ratio runs to infinity" in " ".join(refused.out.split())
    assert "--firth auto" in refused.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--terms", "age,weight"), "no column 'weight'; it has outcome, age"),
        (("--terms", "grade", "--baseline", "grade=none"), "no row is 'none'; there are high, low"),
        (("--terms", "grade", "--baseline", "grade"), "write it as COLUMN=LABEL"),
    ],
)
def test_terms_that_are_not_there_are_refused(stats, patients, options, words):
    found = stats("logistic", patients, *options)
    assert found.code == 1
    assert words in found.err


def test_names_are_no_factor(stats, make):
    rows = [(i % 2, f"person {i}", "same") for i in range(40)]
    path = make("names.csv", ["outcome", "name", "site"], rows)
    assert (
        "40 different labels, which is no factor" in stats("logistic", path, "--terms", "name").err
    )
    assert "all rows are 'same'" in stats("logistic", path, "--terms", "site").err


@pytest.fixture
def followed(make):
    known = reference("survival")
    names = ("time", "event", "arm", "age", "marker")
    rows = list(zip(*(known[name] for name in names), strict=True))
    return make("followed.csv", names, rows)


def test_survival_equals_r(stats, followed):
    known = reference("survival")["km_loglog"]
    times = ",".join(str(t) for t in known["times"])
    found = stats("survival", followed, "--times", times, "--json", "-")
    for name in ("survival", "se", "low", "high", "n_risk"):
        assert [row[name] for row in found.rows("survival")] == close(known[name])
    (median,) = found.rows("median")
    assert [median["median"], median["low"], median["high"]] == [
        known["median"], known["median_low"], known["median_high"],
    ]  # fmt: skip


def test_logrank_cox_and_concordance_equal_r(stats, followed):
    known = reference("survival")
    found = stats("survival", followed, "--group", "arm", "--risk", "marker", "--json", "-")
    test, *groups = found.rows("logrank")
    assert [test["chi2"], test["df"]] == close([known["logrank"]["chi2"], 2])
    assert [row["expected"] for row in groups] == close(known["logrank"]["expected"])
    (c,) = found.rows("concordance")
    assert c["value"] == close(known["concordance"]["c"])


def test_cox_of_the_veterans_equals_r(stats, make):
    known = golden("survival_veteran")
    data, expected = known["data"], known["expected"]["cox_efron"]
    names = ["time", "status", "group", "x1", "x2"]
    path = make("veterans.csv", names, zip(*(data[name] for name in names), strict=True))
    found = stats("survival", path, "--terms", "x1,x2,group", "--json", "-")
    rows = found.rows("cox")
    assert [row["beta"] for row in rows] == close(expected["beta"], known["tolerance"])
    assert [row["hr_low"] for row in rows] == close(
        [low for low, _ in expected["hr_ci"]], known["tolerance"]
    )
    timed = stats("survival", path, "--risk", "x1", "--times", "60,120,240", "--json", "-")
    auc = known["expected"]["timeroc_cumulative_dynamic_ipcw_x1"]["auc"]
    assert [row["auc"] for row in timed.rows("auc_over_time")] == close(auc, known["tolerance"])


def test_a_median_that_is_not_reached_is_undefined(stats, make):
    path = make("alive.csv", ["time", "event"], [(5, 0), (6, 1), (7, 0), (8, 0), (9, 0)])
    found = stats("survival", path)
    assert found.code == 2
    assert "the median is not reached" in found.out


def test_nothing_is_undefined_without_a_reason(stats, make):
    rows = [(i, 3 + i % 4, 0, "AB"[i % 2], i % 5) for i in range(20)]
    path = make("no_events.csv", ["patient", "time", "event", "arm", "age"], rows)
    found = stats("survival", path, "--group", "arm", "--terms", "age", "--risk", "age")
    assert found.code == 2
    for table in found.out.split("\n\n\n"):
        assert ("undefined" in table) <= ("[1]" in table)
    assert "no event happened, so hazards cannot be compared" in found.out


def test_a_person_twice_is_not_independent(stats, make):
    path = make("twice.csv", ["patient", "time", "event"], [(1, 5, 0), (1, 6, 1)])
    found = stats("survival", path)
    assert found.code == 1
    assert "line 3: case 1 is there already" in found.err
    assert "belongs to --terms" in stats("survival", path, "--baseline", "a=b",
                                         "--assume-independent").err  # fmt: skip
