"""Scores of images beside readers: planted relations are found, and what is missing is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from readerstudy.analysis.endpoints.image_scores import CaseScore, SetScore, image_scores
from readerstudy.analysis.presentation import section_of
from tests.analysis.making import ORIGIN, dataset, item, question, read

QUALITY = question("quality", "1", "2", "3", "4", "5", kind="ordinal")
GENERATORS = ("G1", "G2", "G3", "G4", "G5")


def planted(n=40, readers=6):
    """Images of a hidden quality: readers are the more fooled, and grade the higher, the better."""
    rng = np.random.default_rng(2022)
    items, reads, scores = [], [], []
    for number in range(n):
        quality = rng.uniform()
        made = item(f"C{number}", "synthetic", generator=GENERATORS[number % 5])
        items.append(made)
        for reader in range(readers):
            fooled = "real" if rng.uniform() < quality else "synthetic"
            level = str(1 + min(4, int(5 * np.clip(quality + rng.normal(0, 0.1), 0, 0.999))))
            reads.append(read(f"R{reader}", made, {"origin": fooled, "quality": level}))
        scores.append(CaseScore(made.code, "p-1", "brain", "ssim", 0.6 + 0.4 * quality))
        scores.append(CaseScore(made.code, "p-1", "brain", "nrmse", 1 - quality))
    real = [item(f"T{number}", "real") for number in range(5)]
    reads += [read("R0", one, {"origin": "real", "quality": "5"}) for one in real]
    return dataset(reads, [*items, *real], questions=[ORIGIN, QUALITY]), scores


def table(section, code):
    return next(one for one in section.tables if one.code == code)


def test_the_correlation_is_that_of_the_means_over_readers():
    data, scores = planted()
    cases, _ = image_scores(data, scores, [])
    rows = table(cases, "correlations").rows
    found = {(row.cells["outcome"].split()[0], row.cells["metric"].split(",")[0]): row.cells
             for row in rows}  # fmt: skip
    ssim = {one.case: one.value for one in scores if one.metric == "ssim"}
    fooled = {}
    for one in data.reads:
        if one.item in ssim:
            fooled.setdefault(one.item, []).append(one.answers["origin"] == "real")
    expected = spearmanr(
        [ssim[code] for code in fooled], [np.mean(values) for values in fooled.values()]
    ).statistic
    share = found["Share", "ssim"]
    assert share["rho"].value == pytest.approx(expected, abs=1e-12)
    assert share["rho"].low > 0.3
    assert share["images"].value == 40
    assert found["Share", "nrmse"]["rho"].value == pytest.approx(-expected, abs=1e-12)
    assert found["Mean", "ssim"]["rho"].value > 0.8
    assert [figure.width for figure in cases.figures] == ["third", "third"]


def test_generators_are_ordered_only_if_there_are_enough():
    data, _ = planted()
    sets = [SetScore(name, "fid-1", "fid", 10.0 + n) for n, name in enumerate(GENERATORS)]
    _, generators = image_scores(data, [], sets)
    rows = table(generators, "generators").rows
    assert [row.cells["generator"] for row in rows] == list(GENERATORS)
    said = [row.cells["real_origin"].value for row in rows]
    expected = spearmanr([one.value for one in sets], said).statistic
    (order, _) = table(generators, "order").rows
    assert order.cells["rho"].value == pytest.approx(expected, abs=1e-12)
    _, few = image_scores(data, [], sets[:3])
    (order, _) = table(few, "order").rows
    assert math.isnan(order.cells["rho"].value)
    assert "3 generators; at least 4" in order.cells["rho"].reason


def test_without_scores_or_answers_the_reason_stands_in_the_place():
    data, scores = planted(n=8)
    cases, generators = image_scores(data, [], [])
    assert "No score to compare" in cases.blocks[0].text
    assert not [one for one in generators.tables if one.code == "order"]
    nothing = dataset([], list(data.items.values()), questions=[ORIGIN])
    for section in image_scores(nothing, scores, []):
        assert section.blocks[0].text
        assert section_of(section, "").label == "exploratory"


def test_scores_of_images_that_nobody_read_and_undefined_ones_are_left_out():
    data, scores = planted(n=8)
    more = [
        CaseScore("C999", "p-1", "brain", "ssim", 0.5),
        CaseScore("C0", "p-1", "core", "ssim", math.nan),
    ]
    cases, _ = image_scores(data, [*scores, *more], [])
    rows = table(cases, "correlations").rows
    assert {row.cells["images"].value for row in rows} == {8}
    assert not [row for row in rows if "core" in row.cells["metric"]]
