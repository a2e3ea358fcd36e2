"""The audit of published tables and the checks behind it."""

from __future__ import annotations

import pytest

from tests.stats_cli.conftest import read_rows

PARTS = ("check", "--auc", "0.864", "--low", "0.789", "--high", "0.920")


def finding(found):
    (row,) = found.rows("checks")
    return row["verdict"], row["words"]


def test_the_papers_are_audited(stats):
    found = stats("published", "--json", "-")
    assert found.code == 0
    papers = found.rows("papers")
    assert [row["paper"].split(" et al")[0] for row in papers] == [
        "Han", "Park", "Wang", "Calabrese",
    ]  # fmt: skip
    assert all(
        row["figures"] == row["reproduces"] + row["contradicted"] + row["unchecked"]
        for row in papers
    )
    places = [row["where"] for row in found.rows("park2021")]
    assert "Table 1, enhancement, P*" in places


def test_one_paper_with_every_figure(stats, tmp_path):
    path = tmp_path / "han.csv"
    found = stats("published", "han2018", "--show", "all", "--csv", path)
    assert found.code == 0
    rows = [row for row in read_rows(path) if row["table"] == "han2018"]
    accuracies = [row for row in rows if row["where"].endswith(", accuracy")]
    assert len(accuracies) == 12
    assert {row["verdict"] for row in accuracies} == {"reproduces"}
    assert stats("published", "han2019").code == 1


@pytest.mark.parametrize(
    ("figures", "verdict", "words"),
    [
        (("--percent", "62.7%", "--n", 11), "inconsistent", "62.7% is not a whole number of 11"),
        (("--percent", "93.2", "--n", 44, "--k", 41), "consistent", "41/44 = 93.18%"),
        (("--percents", "87.7%", "74.2%", "--largest", 200), "consistent", "fit n = 155, 163"),
        (
            ("--n", 320, "--accuracy", "59.1%", "--precision", "60.4%", "--recall", "52.5%"),
            "consistent",
            "TP 84 FP 55 FN 76 TN 105",
        ),
        (("--z", "1.20", "--p", ".02"), "inconsistent", "z = 1.20 gives P = 0.23"),
        (
            ("--estimate", "1.13", "--low", "-0.52", "--high", "0.78"),
            "inconsistent",
            "1.13 lies outside -0.52 to 0.78",
        ),
        (
            (*PARTS[1:], "--n-positive", 38, "--n-negative", 80),
            "consistent",
            "exact binomial limits",
        ),
        (("--mean", "3.45", "--n", 19), "inconsistent", "no whole sum over 19"),
        (
            ("--means", "0.65", "0.58", "--sizes", 332, 68, "--overall", "0.65"),
            "inconsistent",
            "the parts give 0.638",
        ),
        (
            ("--p", ".87", "--p1", "90.6%", "--p2", "87.7%", "--n1", 160, "--n2", 160),
            "inconsistent",
            "per group",
        ),
        (("--p", ".019", "--k1", 71, "--n1", 100, "--k2", 55, "--n2", 100), "consistent", "pooled"),
        (
            (
                *("--mean1", "86.29", "--sd1", "4.30", "--mean2", "85.80", "--sd2", "4.63"),
                *("--n", 227, "--p", ".008"),
            ),
            "consistent",
            "correlation",
        ),
        (
            ("--auc", "0.99", "--sensitivity", "70%", "--specificity", "80%"),
            "inconsistent",
            "areas from 0.553 to 0.942",
        ),
        (
            (
                *("--auc-a", "0.778", "0.727", "0.825", "--auc-b", "0.853", "0.808", "0.892"),
                *("--z", "4.86"),
            ),
            "consistent",
            "correlation",
        ),
    ],
)
def test_printed_figures_are_checked(stats, figures, verdict, words):
    """Each expected finding follows by hand from the figures, or stands in the papers' audit."""
    found = stats("check", *figures, "--json", "-")
    assert found.code == 0
    said, why = finding(found)
    assert said == verdict
    assert words in why


def test_several_checks_are_made_at_once(stats):
    """A coefficient of 1.34 with limits 1.24 to 1.45 has z about 25, so P cannot be .02."""
    found = stats(
        *("check", "--estimate", "1.34", "--low", "1.24", "--high", "1.45", "--p", ".02"),
        *("--json", "-"),
    )
    assert [(row["check"], row["verdict"]) for row in found.rows("checks")] == [
        ("interval", "consistent"),
        ("interval and p", "inconsistent"),
    ]


def test_a_mean_with_its_interval(stats):
    """0.65 ± 1.96 * 0.25/20 = 0.6255 to 0.6745."""
    figures = ("--mean", "0.65", "--sd", "0.25", "--n", 400, "--low", "0.63", "--high", "0.67")
    found = stats("check", *figures, "--json", "-")
    verdicts = {row["check"]: row["verdict"] for row in found.rows("checks")}
    assert verdicts["interval of a mean"] == "consistent"


@pytest.mark.parametrize(
    "figures", [(), ("--k", 3), ("--z", "2.0"), ("--percent", "50%", "--n", 10, "--sd", "2")]
)
def test_figures_that_no_check_uses_are_refused(stats, figures):
    found = stats("check", *figures)
    assert found.code == 1
    assert "nothing can be checked with" in found.err
    assert "percentage: --percent --n" in found.err


def test_a_figure_that_cannot_be_read_is_refused(stats):
    found = stats("check", "--percent", "about half", "--n", 10)
    assert found.code == 1
    assert "cannot read 'about half'" in found.err
