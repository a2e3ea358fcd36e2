"""Cues from recorded presentations: what varies is named, what is honest stays silent."""

from __future__ import annotations

import numpy as np
import pytest

from readerstudy.sentinel import cues, pixels
from readerstudy.sentinel.grep import Search
from readerstudy.sentinel.judging import Judged, judge, power_missing, simplified
from readerstudy.sentinel.recorded import Exchange, ImageSeen, Presentation, Turn, flattened
from readerstudy.sentinel.separation import Limits
from readerstudy.sentinel.texts import columns_of


def block(seed: int, *, sd: float = 60.0, shape=(8, 60, 50)) -> np.ndarray:
    """A bright box in an empty background."""
    levels = np.zeros(shape, dtype=np.int16)
    inside = np.random.default_rng(seed).normal(800, sd, (6, 50, 40))
    levels[1:7, 5:55, 5:45] = np.clip(np.rint(inside), 1, 4095)
    return levels


def shown(number: int, *, seconds: float = 0.01, length: int = 4096, **fields) -> Presentation:
    exchange = Exchange("image", "t1c zstd 0", number, 200, (("X", "1"),), length, seconds)
    image = ImageSeen(case=f"c{number:02d}", slot="t1c", place=0, token=f"i{number:021d}")
    image.exchanges.append(exchange)
    image.facts = pixels.facts_of(block(number))
    return Presentation(f"p{number:021d}", number, dict(fields), [image])


def varying(walk: list[Presentation], turns: list[Turn] = []) -> set[str]:  # noqa: B006
    found = cues.cues_of(walk, turns)
    return {cue.family for cue in found if np.ptp(cue.values, axis=0).any()} - {"address", "order"}


def test_presentations_that_differ_in_content_alone_vary_in_content_alone():
    assert varying([shown(n) for n in range(20)]) == {"noise"}


@pytest.mark.parametrize(
    ("family", "change"),
    [("length", {"length": 1}), ("fields", {"window": 3}), ("fields", {"new": "a"})],
)
def test_what_differs_is_named_by_its_family(family, change):
    walk = [shown(n, **(change if n % 2 else {})) for n in range(20)]
    assert family in varying(walk)


def test_times_are_taken_against_the_drift_of_the_walk():
    walk = [shown(n, seconds=0.01 * n) for n in range(60)]
    time = next(cue for cue in cues.cues_of(walk, []) if cue.family == "time")
    assert np.abs(time.values).max() < 1e-9


def test_the_order_of_readers_is_judged_by_the_stored_turns():
    walk = [shown(n) for n in range(20)]
    turns = [Turn("R1", f"c{n:02d}", (n + 1) / 20) for n in range(20)]
    order = {cue.what: cue.values.ravel() for cue in cues.cues_of(walk, turns)}
    assert order["of R1"].tolist() == [(n + 1) / 20 for n in range(20)]


def test_a_reader_who_reads_a_part_only_is_judged_with_all_others():
    walk = [shown(n) for n in range(4)]
    turns = [Turn("R1", f"c{n:02d}", 0.5) for n in range(2)]
    turns += [Turn("R2", f"c{n:02d}", 0.25) for n in range(2, 4)]
    named = {cue.what for cue in cues.cues_of(walk, turns) if cue.family == "order"}
    assert named == {"as served", "of all readers", "side of all readers"}


# Facts of pixels


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("sd", [20, 60, 300])
def test_a_smooth_density_has_no_comb(seed, sd):
    assert set(pixels.comb_of(block(seed, sd=sd)[block(seed, sd=sd) > 0]).values()) == {0.0}


@pytest.mark.parametrize("step", [2, 3, 4, 10])
def test_a_comb_has_its_share_of_empty_levels(step):
    values = block(1, sd=120)
    teeth = values[values > 0] // step * step
    found = pixels.comb_of(teeth)
    assert found["empty_levels"] == pytest.approx(1 - 1 / step, abs=0.03)
    # All counts in one of `step` phases: a swing of sqrt(step - 1) (root mean square over phases);
    # of wide steps the fitted density takes up a part.
    assert found["period"] == pytest.approx(np.sqrt(step - 1), rel=0.15)


def test_a_weak_comb_shows_as_a_swing_without_empty_levels():
    values = block(2, sd=120)
    values = values[values > 0]
    moved = np.random.default_rng(3).random(values.size) < 0.3
    found = pixels.comb_of(np.where(moved, values // 2 * 2, values))
    assert found["empty_levels"] == 0.0
    # Even levels hold 1.3, odd ones 0.7 of the mean.
    assert found["period"] == pytest.approx(0.3, abs=0.05)


def test_background_border_and_slices():
    clean = block(4)
    silent = {"border": 0.0, "corner_share": 0.0, "corner_mean": 0.0, "corner_spread": 0.0}
    assert pixels.background_of(clean) == silent
    assert pixels.slices_of(clean) == {"slices": 8.0, "gaps_between_slices": 0.0}
    dirty = clean.copy()
    dirty[dirty == 0] = 3
    assert pixels.background_of(dirty)["corner_mean"] == 3.0
    assert pixels.background_of(dirty)["border"] == 1.0
    dirty = clean.copy()
    dirty[3] = 0
    assert pixels.slices_of(dirty)["gaps_between_slices"] == 1.0


def test_a_smaller_head_changes_content_and_nothing_else():
    large, small = block(5), block(5)
    small[:, :15] = small[:, 45:] = small[:2] = 0
    names = (*pixels.COMB, *pixels.BACKGROUND, *pixels.SLICES, *pixels.RANGE)
    facts = [pixels.facts_of(one) for one in (large, small)]
    assert [facts[0][name] for name in names] == [facts[1][name] for name in names]
    assert facts[0]["foreground"] > facts[1]["foreground"]


def test_an_empty_image_has_no_comb_and_no_error():
    assert pixels.facts_of(np.zeros((2, 8, 8), np.int16))["empty_levels"] == 0.0


# Texts


def test_texts_become_numbers():
    assert columns_of([["a"], ["a"]]).tolist() == [[0.0], [0.0]]
    assert columns_of([[1, 3], [5]]).tolist() == [[2.0], [5.0]]
    assert columns_of([["HIT"], ["MISS"], ["HIT"]]).tolist() == [[1, 0], [0, 1], [1, 0]]
    dates = columns_of([["Thu, 01 Jan 1970 00:00:10 GMT"], ["Thu, 01 Jan 1970 00:00:20 GMT"]])
    assert dates.ravel().tolist() == [10.0, 20.0]
    assert columns_of([[None], ["x"]]).shape == (2, 2)


def test_a_shared_part_of_many_texts_is_a_column():
    rows = [[f"{'pred' if n % 2 else 'scan'}_{n * 7919:06d}"] for n in range(20)]
    columns = columns_of(rows)
    half = [n % 2 for n in range(20)]
    assert any(column.tolist() in (half, [1 - h for h in half]) for column in columns.T)


def test_a_json_value_is_flattened_to_paths():
    value = {"a": [1, {"b": None}], "c": {}, "d": "x"}
    assert dict(flattened(value)) == {"a[0]": 1, "a[1].b": None, "c": "{}", "d": "x"}


# Words


def search(**options) -> Search:
    return Search({"a case code": {"0417"}, "a run": {"run 7"}}, {"a tag": {"glioma"}}, **options)


@pytest.mark.parametrize(
    ("text", "of_case", "expected"),
    [
        ("Case 0417 is open", False, ["a case code"]),
        ("x0417y or 04170", False, []),
        ("made by RUN 7.", False, ["a run"]),
        ("a glioma", False, []),
        ("a glioma", True, ["a tag"]),
        ("2026-11-20T10:58:00.0417Z", True, []),
        ('filename="sub-01_T1w.nii.gz"', True, ["a name of an image file"]),
        ("the text of the protocol: glioma", True, []),
    ],
)
def test_words_are_found_whole_and_by_kind(text, of_case, expected):
    looking = search(known=["The text", "text of the protocol: glioma"])
    looking.text(text, "there", of_case=of_case)
    assert [found.kind for found in looking.results()] == expected


def test_a_word_by_chance_within_an_own_token_is_none():
    token = "abc-0417-ABCDEFGHIJ-xy"
    looking = search(own={token})
    looking.text(f"/i/{token}/0", "an address", of_case=True)
    assert looking.results() == []
    looking.text("/i/zzz-0417-zzzzzzzzzz-zz/0", "an address", of_case=True)
    assert len(looking.results()) == 1


# Verdicts


def test_a_small_difference_in_time_does_not_block_however_certain():
    labels = [0, 1] * 15
    cue = cues.Cue("time", "images", np.array([[0.3 * one] for one in labels]))
    told = {"limits": Limits(permutations=199), "content_blocks": False, "seed": 1}
    subjects = [f"s{n}" for n in range(30)]
    (small,) = judge([cue], labels, subjects, least_ms=5.0, **told)
    assert (small.auc, small.verdict) == (1.0, "clean")
    assert small.reason == "differs by 0.3 ms, less than the 5 ms that count"
    (large,) = judge([cue], labels, subjects, least_ms=0.2, **told)
    assert large.verdict == "found"


def test_content_blocks_only_where_the_study_says_so():
    labels = [0, 1] * 15
    cue = cues.Cue("noise", "t1c", np.array([[float(one)] for one in labels]))
    told = {"limits": Limits(permutations=199), "least_ms": 5.0, "seed": 1}
    subjects = [f"s{n}" for n in range(30)]
    verdicts = [judge([cue], labels, subjects, content_blocks=b, **told) for b in (False, True)]
    assert [found[0].verdict for found in verdicts] == ["information", "found"]


def test_what_must_be_the_same_and_varies_without_a_link_is_said():
    labels, subjects = [0, 1] * 10, [f"s{n}" for n in range(20)]
    cue = cues.Cue("length", "t1c", np.array([[float(n // 2 % 2)] for n in range(20)]))
    (found,) = judge(
        [cue],
        labels,
        subjects,
        limits=Limits(permutations=99),
        least_ms=5,
        content_blocks=False,
        seed=1,
    )
    assert found.verdict == "varies"


@pytest.mark.parametrize(("n", "ones", "missing"), [(8, 4, True), (10, 5, False), (20, 0, True)])
def test_how_few_cases_can_prove_nothing(n, ones, missing):
    """4 of 8: 2 of 70 labellings separate perfectly, p = 0.029; 5 of 10: 2 of 252, p = 0.008."""
    assert bool(power_missing([1] * ones + [0] * (n - ones), Limits())) is missing


def test_cues_that_never_vary_share_one_line():
    same = [Judged("header", name, 0.5, 0.5, 0.5, 1.0, "same") for name in "abc"]
    other = Judged("header", "d", 0.9, 0.8, 1.0, 0.001, "found")
    assert [one.what for one in simplified([*same, other])] == ["a; b; c", "d"]
