"""One generator against another: planted differences are found and nobody is named."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from readerstudy.core.errors import Conflict
from readerstudy.reading.scheduling import launch
from readerstudy.sentinel.cues import HEADER, LENGTH, NOISE, Cue
from readerstudy.sentinel.judging import GENERATORS, judge, judge_generators
from readerstudy.sentinel.models import SentinelRun
from readerstudy.sentinel.running import level_of
from readerstudy.sentinel.separation import Limits, separate
from readerstudy.studies import lifecycle
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario
from tests.sentinel import planted
from tests.tampering import unguarded

LIMITS = Limits(p=0.005, permutations=499)


def judged(cue: Cue, generators: list[str]):
    subjects = [f"s{number}" for number in range(len(generators))]
    return judge_generators(
        [cue], generators, subjects, limits=LIMITS, least_ms=5, content_blocks=False, seed=3
    )


def of_cases(family: str, per_class: dict[str, float], n: int = 12) -> tuple[Cue, list[str]]:
    """``n`` cases of each class; "" is real. Values lie around the class's own."""
    random = np.random.default_rng(8)
    generators = [name for name in per_class for _ in range(n)]
    values = [[per_class[name] + random.normal(0, 0.05)] for name in generators]
    return Cue(family, "planted", np.array(values)), generators


def test_a_leak_between_two_generators_is_found_where_real_against_synthetic_is_blind():
    # Real cases lie at both ends, so that nothing tells them from synthetic ones.
    cue, generators = of_cases(LENGTH, {"near": 0.0, "far": 1.0})
    real = np.where(np.arange(24) % 2, 1.0, 0.0)[:, None]
    whole = Cue(LENGTH, "planted", np.vstack([cue.values, real]))
    generators += [""] * 24
    (between,) = judged(whole, generators)
    assert (between.verdict, between.comparison) == ("found", GENERATORS)
    assert between.auc > 0.95
    labels = [int(bool(name)) for name in generators]
    subjects = [f"s{number}" for number in range(48)]
    (origin,) = judge(
        [whole], labels, subjects, limits=LIMITS, least_ms=5, content_blocks=False, seed=3
    )
    assert origin.verdict != "found"


def test_one_generator_of_three_that_stands_out_is_found():
    cue, generators = of_cases(LENGTH, {"a": 0.0, "b": 0.0, "c": 1.0})
    (between,) = judged(cue, generators)
    assert between.verdict == "found"
    assert not {"a", "b", "c"} & {between.what, between.reason, between.family}


def test_two_generators_are_each_others_mirror_image():
    cue, generators = of_cases(LENGTH, {"a": 0.0, "b": 0.06})
    other_names = [{"a": "y", "b": "x"}[name] for name in generators]
    (one,), (other,) = judged(cue, generators), judged(cue, other_names)
    assert one.auc == pytest.approx(other.auc)


def test_noise_between_generators_is_image_content():
    cue, generators = of_cases(NOISE, {"smooth": 0.0, "rough": 1.0})
    (between,) = judged(cue, generators)
    assert (between.verdict, between.reason) == ("information", "image content")


def test_what_varies_without_a_link_is_not_told_twice():
    cue, generators = of_cases(HEADER, {"a": 0.0, "b": 0.0})
    (between,) = judged(cue, generators)
    assert between.verdict == "clean"


@pytest.mark.parametrize(
    ("sizes", "reason"), [({"a": 2, "b": 12}, "fewer than 3"), ({"a": 4, "b": 4}, "too few")]
)
def test_few_cases_of_a_generator_are_said_to_be_few(sizes, reason):
    generators = [name for name, count in sizes.items() for _ in range(count)]
    values = np.random.default_rng(1).normal(size=(len(generators), 1))
    (between,) = judged(Cue(LENGTH, "x", values), generators)
    assert between.verdict == "undefined"
    assert reason in between.reason


@pytest.mark.parametrize("generators", [["a"] * 10, ["a"] * 5 + [""] * 5])
def test_one_generator_is_compared_with_nobody(generators):
    cue = Cue(LENGTH, "x", np.arange(10.0)[:, None])
    assert judged(cue, generators) == []
    assert level_of(0.01, generators) == 0.01
    assert level_of(0.01, [*generators, "b"]) == 0.005


def test_clean_cues_of_three_generators_are_not_accused():
    """200 studies at the 1 % level: Binomial(200, 0.01) < 8 in 99.9 %."""
    accused = 0
    labels = [number % 3 for number in range(36)]
    subjects = [f"s{number}" for number in range(36)]
    for seed in range(200):
        random = np.random.default_rng(seed)
        cues = {f"cue{i}": random.normal(size=(36, 1 + i % 3)) for i in range(4)}
        found = separate(cues, labels, subjects, limits=Limits(permutations=299), seed=seed)
        accused += any(result.blocks for result in found)
    assert accused < 8


@pytest.mark.django_db
def test_a_planted_leak_between_generators_blocks_and_names_none(client, monkeypatch):
    made = planted.prepared(4, 24)
    synthetic = Origin.objects.filter(kind="synthetic").order_by("case__code")
    for number, origin in enumerate(synthetic):
        with unguarded():
            Origin.objects.filter(pk=origin.pk).update(generator=f"network-{'AB'[number % 2]}x")
    marks = {o.case_id: o.generator[-2:] for o in Origin.objects.filter(kind="synthetic")}
    real = Origin.objects.filter(kind="real").order_by("case__code")
    marks |= {o.case_id: ("Ax", "Bx")[number % 2] for number, o in enumerate(real)}

    def tamper(response, image):
        response["X-Store"] = marks[image.case_id]

    planted.answering_by_image(monkeypatch, tamper)
    run = planted.walked(made)
    found = [row for row in run.results if row["verdict"] == "found"]
    assert {(row["family"], row["comparison"]) for row in found} == {("header", GENERATORS)}
    assert (run.verdict, run.words) == ("found", [])
    assert run.limits["p_each"] == 0.005
    assert "network-" not in f"{run.results}{run.limits}"
    client.force_login(made.coordinator)
    page = reverse("study-sentinel", args=[made.study.pk])
    told = client.get(page).content.decode()
    assert "Between generators" in told
    assert "hidden in this role" in told
    assert "network-" not in told
    with pytest.raises(Conflict, match="A cue tells the generators apart"):
        launch(study=made.refresh(), actor=made.coordinator)


@pytest.mark.django_db
def test_who_may_know_is_told_which_generators_were_compared(client):
    made = scenario.running(2, 2)
    with unguarded():
        Origin.objects.filter(kind="synthetic").update(generator="network-A")
        SentinelRun.objects.filter(study=made.study).update(results=[planted.BETWEEN])
    client.force_login(made.coordinator)
    page = reverse("study-sentinel", args=[made.study.pk])
    assert "network-A" not in client.get(page).content.decode()
    lifecycle.close(study=made.refresh(), actor=made.coordinator, reason="x")
    assert "network-A" not in client.get(page).content.decode()
    unblind(study=made.refresh(), actor=made.coordinator, reason="x", typed_name=made.study.name)
    assert "network-A" in client.get(page).content.decode()
