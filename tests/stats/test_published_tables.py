"""Published tables against the shared findings and values worked out from the papers."""

import json
import math

import pytest

from readerstudy.stats.published import calabrese2021, han2018, park2021, wang2023
from readerstudy.stats.published.park2021_data import PERFORMANCE, TABLE_1
from readerstudy.stats.published.printed import open_cell, published_table
from tests.stats.golden import close, golden

NO = "does not follow from the counts"
YES = "reproduces"
OPEN = "cannot be checked"


@pytest.fixture(scope="module")
def han():
    return han2018.check()


@pytest.fixture(scope="module")
def park():
    return park2021.check()


@pytest.fixture(scope="module")
def wang():
    return wang2023.check()


@pytest.fixture(scope="module")
def calabrese():
    return calabrese2021.check()


def test_all_accuracies_of_han_reproduce(han):
    accuracies = [c for c in han.cells if c.where.endswith("accuracy")]
    assert [c.value for c in accuracies] == [70, 71, 64, 54, 77, 54, 64, 55, 58, 62, 66, 53]
    assert {c.verdict for c in accuracies} == {YES}
    expected = golden("seed_han_table1")["expected"]["recomputed_percent"]
    assert [c.value for c in accuracies] == expected


def test_han_significantly_better_holds_for_t1c_alone(han):
    verdicts = {
        name: han.find(f"Section 4.2, {name}, WGAN against DCGAN").verdict
        for name in ("T1", "T1c", "T2", "FLAIR", "Concat 128", "Concat 64")
    }
    assert [name for name, verdict in verdicts.items() if verdict == YES] == ["T1c", "FLAIR"]
    cell = han.find("Section 4.2, T1c, WGAN against DCGAN")
    assert cell.value == pytest.approx(0.0191, abs=5e-5)
    assert "Bonferroni over 6 comparisons 0.11" in cell.words


def test_han_physician_is_above_chance_in_most_rows(han):
    above = [c for c in han.cells if c.printed == "unable" and c.verdict == NO]
    # two-sided binomial P below .05 from 61 of 100 right
    assert len(above) == sum(a >= 61 for a in (70, 71, 64, 54, 77, 54, 64, 55, 58, 62, 66, 53))
    assert han.find("Abstract, FLAIR, WGAN, unable to distinguish").value == pytest.approx(
        0.0209787, rel=1e-5
    )


def test_park_table_1_is_pearson_without_correction(park):
    keys = {"P+": "real_vs_gan", "P*": "wild_vs_mut", "P**": "wild_vs_gan"}
    keys["validation P"] = "validation"
    for test in golden("seed_park_table1")["expected"]["tests"]:
        for label, key in keys.items():
            cell = park.find(f"Table 1, {test['variable']}, {label}")
            assert cell.value == close(test[key]["p_chi2"])
            assert cell.printed == test["published"][key]


def test_park_table_1_exceptions(park):
    ps = [c for c in park.cells if c.where.startswith("Table 1") and "P" in c.where[-12:]]
    assert len(ps) == 20
    assert [c.where for c in ps if c.verdict == NO] == [
        "Table 1, enhancement, P*",
        "Table 1, enhancement, P**",
        "Table 1, necrosis, P*",
    ]
    assert [c.where for c in ps if c.cut] == ["Table 1, necrosis, P+"]
    totals = [c for c in park.cells if c.where.endswith("total")]
    assert len(totals) == 25
    assert {c.verdict for c in totals} == {YES}


def test_park_counts_are_those_of_the_shared_file():
    data = golden("seed_park_table1")["data"]
    groups = ("wild", "mut", "gan", "vw", "vm")
    assert {
        k: {g: list(v) for g, v in zip(groups, t.values(), strict=True)} for k, t in TABLE_1.items()
    } == data


def test_park_univariable_coefficients_are_log_odds_ratios(park):
    names = {
        "frontal or insula": "frontal_vs_other",
        "thalamus or brainstem": "thalamus_vs_other",
        "absence of necrosis": "absence_necrosis",
        "thick nodular": "nodular_vs_rim",
        "patch enhancing": "patch_vs_rim",
        "oedema dominant": "edema_vs_tumor",
        "distinct margin": "distinct_vs_indistinct",
    }
    recomputed = golden("seed_park_table2_univariable")["expected"]["recomputed"]
    for model, values in enumerate(recomputed.values(), start=1):
        for term, key in names.items():
            where = f"Table 2, model {model}, univariable, {term}"
            assert park.find(f"{where}, beta").value == close(values[key]["beta"])
            assert park.find(f"{where}, P").value == close(values[key]["p_wald"], 1e-7)


def test_park_coefficients_that_do_not_follow(park):
    betas = [c for c in park.cells if "univariable" in c.where and c.where.endswith("beta")]
    wrong = {
        c.where.removesuffix(", beta").split(", univariable, ")[1] for c in betas if c.verdict == NO
    }
    assert wrong == {"thalamus or brainstem", "oedema dominant", "distinct margin"}
    assert park.find("Table 2, model 2, univariable, distinct margin, beta").verdict == YES
    cell = park.find("Table 2, model 1, univariable, thalamus or brainstem, beta")
    assert cell.value == pytest.approx(math.log(3 * 42 / (10 * 9)))
    assert "frontal or insula against thalamus (0.950" in cell.words


def test_park_multivariable_limits_contradict_their_p(park):
    cells = [c for c in park.cells if "multivariable" in c.where]
    assert len(cells) == 21
    # only P < .001 is compatible with limits that narrow
    assert {c.where.split(", ")[-1] for c in cells if c.verdict != NO} == {"distinct margin"}
    outside = park.find("Table 2, model 3, multivariable, absence of necrosis")
    assert "1.13 lies outside -0.52 to 0.78" in outside.words
    order = park.find("Table 2, model 3, multivariable, thick nodular")
    assert "wrong order" in order.words


def test_park_table_3_shares(park):
    wrong = [
        c
        for c in park.cells
        if c.where.endswith(("sensitivity", "specificity")) and c.verdict == NO
    ]
    assert [c.printed for c in wrong] == ["62.7%", "62.7%", "78.8%", "69.7%", "69.7%"]
    assert "26/33: the columns look exchanged" in wrong[2].words
    right = park.find("Table 3, training, model 3, sensitivity")
    assert (right.value, right.verdict) == (pytest.approx(55 / 76), YES)


def test_park_training_limits_are_exact_binomial(park):
    for model in (1, 2, 3):
        cell = park.find(f"Table 3, training, model {model}, AUC and limits")
        assert cell.verdict == YES
        assert "as if it were a proportion of all subjects" in cell.words
    assert park.find("Table 3, validation, reader 1, model 1, AUC and limits").verdict == OPEN


def test_park_repeated_rows_are_pointed_out(park):
    repeated = [c.where for c in park.cells if ", models " in c.where]
    assert repeated == [
        "Table 3, validation, reader 1, models 2 and 3",
        "Table 3, validation, reader 2, models 1 and 2",
        "Table 3, with age, reader 1, models 2 and 3",
        "Table 3, with age, reader 2, models 2 and 3",
    ]
    assert len(PERFORMANCE) == 15


def test_park_accuracies_and_turing(park):
    expected = golden("seed_park_accuracy_turing")["expected"]
    cell = park.find("Text, Turing test, reader 2, difficult to distinguish")
    assert cell.verdict == NO
    assert cell.value == close(expected["turing_reader2"]["p_binom_two_sided"])
    assert park.find("Text, Turing test, reader 1, difficult to distinguish").verdict == OPEN
    higher = park.find("Abstract, higher accuracy of model 3, reader 1")
    assert higher.value == expected["mcnemar_bounds_reader1"]["best_case_b3_c0"]["p_exact"] == 0.25
    assert higher.verdict == NO
    table = park.find("Text, accuracy, reader 2, model 3, against Table 3")
    assert (table.value, table.verdict) == (pytest.approx(38 / 44), NO)
    # 21 of 33 and at most 11 of 11 right is 32 of 44, below the 38 of the text
    assert park.find("Text, accuracy, reader 2, model 1, against Table 3").verdict == NO
    assert park.find("Text, accuracy, reader 1, model 1, against Table 3").verdict == YES


def test_park_odds_ratios_of_the_abstract_are_coefficients(park):
    cell = park.find("Abstract, odds ratios of location")
    assert cell.value == pytest.approx(math.exp(1.34))
    assert cell.verdict == NO


def test_wang_likert_and_auc(wang):
    expected = golden("seed_wang_likert_auc")["expected"]
    assert wang.find("Text, mean quality score").value == close(expected["likert_mean"])
    for score, percent in zip((1, 2, 3), expected["percent"], strict=True):
        assert wang.find(f"Text, quality score {score}").value == close(percent / 100)
    aucs = [c for c in wang.cells if c.where.endswith("AUC and limits")]
    assert [c.where for c in aucs if c.verdict == NO] == [
        "Table 3, glioma grading, with CBV, AUC and limits"
    ]
    assert sum(c.verdict == YES for c in aucs) == 7
    assert wang.find("Table 3, glioma grading, with CBV, AUC and limits").value == pytest.approx(
        0.824
    )


def test_wang_z_of_the_idi_repeats_that_of_the_auc(wang):
    twins = [c for c in wang.cells if c.where.endswith("z of the IDI")]
    assert len(twins) == 4
    assert {c.verdict for c in twins} == {OPEN}
    assert all("repeats that of the AUC" in c.words for c in twins)


def test_wang_counts_all_reproduce(wang):
    shares = [c for c in wang.cells if c.printed.endswith("%") and c.method.startswith("percent")]
    assert len(shares) == 21
    assert {c.verdict for c in shares} == {YES}


def test_calabrese_columns(calabrese):
    case = golden("seed_calabrese_table2")
    tasks = {
        "tumour grade": "grade",
        "tumour enhancement": "enhancement",
        "simulated or real": "sim_vs_real",
    }
    for task, key in tasks.items():
        assert list(calabrese2021.column(task).tables) == [
            tuple(case["data"]["counts_tp_fp_fn_tn"][key])
        ]
        metrics = case["expected"]["metrics"][key]
        for name in ("accuracy", "precision", "recall"):
            assert calabrese.find(f"Table 2, {task}, {name}").value == close(metrics[name]["value"])
        for name in ("f1", "mcc"):
            assert calabrese.find(f"Table 2, {task}, {name}").value == close(metrics[name])
        assert calabrese.find(f"Table 2, {task}, kappa").verdict == OPEN
    assert [c.where for c in calabrese.cells if c.cut] == ["Table 2, tumour grade, f1"]


def test_calabrese_text_does_not_follow(calabrese):
    wrong = {c.where for c in calabrese.by_verdict(NO)}
    both = ("tumour grade", "tumour enhancement")
    assert wrong == {
        *(f"Text, {task}, P of simulated against real" for task in both),
        *(f"Text, {task}, accuracy on real images" for task in both),
        *(f"Text, {task}, split accuracies against Table 2" for task in both),
        "Text, Dice overlap, all against its parts",
    }


@pytest.mark.parametrize("module", [han2018, park2021, wang2023, calabrese2021])
def test_tables_are_complete_and_json_safe(module):
    table = module.check()
    rows = json.loads(json.dumps(table.rows()))
    assert len(rows) == table.n == len({row["where"] for row in rows})
    assert {row["verdict"] for row in rows} <= {YES, NO, OPEN}
    assert sum(len(table.by_verdict(v)) for v in (YES, NO, OPEN)) == table.n
    assert table.summary().startswith(module.PAPER)
    assert all(row["words"] for row in rows)


def test_cells_are_found_by_place_and_must_differ(han):
    with pytest.raises(KeyError, match="0 cells"):
        han.find("Table 9")
    twice = [open_cell("a", "1", "x"), open_cell("a", "2", "y")]
    with pytest.raises(ValueError, match="got twice: a"):
        published_table("paper", twice)
