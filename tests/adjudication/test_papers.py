"""Morphology after Park and quality after Wang: read, adjudicated, unblinded and exported.

Expected values are counted by hand from the answers that are laid down here.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from django.urls import reverse
from scipy import stats as scipy_stats

from readerstudy.adjudication.models import Round
from readerstudy.core import jobs
from readerstudy.reading.models import Rating
from readerstudy.truth.models import Origin
from tests.adjudication import papers

pytestmark = pytest.mark.django_db
FEATURES = {
    "location": "other",
    "enhancement": "rim",
    "necrosis": "yes",
    "surrounding": "tumour",
    "margin": "clear",
}


def unblinded(client, study) -> dict[str, bytes]:
    """Unblind a study and return the files of its export."""
    sent = client.post(
        reverse("study-unblind", args=[study.pk]), {"typed_name": study.name, "reason": "Done."}
    )
    assert sent.status_code == 302
    jobs.work_through("default")
    archive = client.get(reverse("study-export", args=[study.pk, "everything.zip"])).content
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_morphology_is_settled_and_compared_after_consensus():
    study = papers.running_study("park2021-morphology", 6)
    items = sorted(study.cases.values_list("code", flat=True))
    kinds = {code: Origin.objects.get(case__code=code).kind for code in items}

    def read(reader, item):
        # The readers differ on necrosis of the first two, and on the margin of the first.
        differ = {"necrosis": items[:2], "margin": items[:1]} if reader == "R2" else {}
        other = {"necrosis": "no", "margin": "indistinct"}
        return {c: other[c] if item in differ.get(c, []) else v for c, v in FEATURES.items()}

    papers.read_to_the_end(study, read)
    initial = list(Rating.objects.order_by("pk").values())
    client = papers.close(study)
    panel = papers.panel_of(study, 3)
    page = reverse("study-adjudication", args=[study.pk])
    assert "2 cases differ" in client.get(page).content.decode()
    sent = client.post(
        page,
        {"questions": ["necrosis", "margin"], "more_than": 0, "panel": [u.pk for u in panel]},
    )
    assert sent.status_code == 302

    def final(_seat, item):
        return {"necrosis": "no"} | ({"margin": "indistinct"} if item == items[0] else {})

    for member in panel:
        papers.vote(study, member, final, final)
    client.post(reverse("study-adjudication-conclude", args=[study.pk]))
    files = unblinded(client, study)

    rows = {(r["question"], r["item"]): r for r in table(files["consensus.csv"])}
    assert len(rows) == 5 * 6  # every item of every question, settled or not
    first = rows["necrosis", items[0]]
    assert first["initial_answers"] == "no|yes"
    assert (first["own_votes"], first["final_votes"]) == ("no|no|no", "no|no|no")
    assert (first["value"], first["how"], first["version"], first["round"], first["rule"]) == (
        "no",
        "consensus of the panel",
        "1",
        "1",
        "answers differ",
    )
    agreed = rows["location", items[0]]
    assert (agreed["value"], agreed["how"], agreed["round"]) == ("other", "readers agreed", "")
    text = files["consensus.csv"].decode()
    for name in ("R1", "R2", "A1", *(user.username for user in panel)):
        assert name not in text
    described = {(r["kind"], r["name"]) for r in table(files["codebook.csv"])}
    assert {("column of consensus", name) for name in first} <= described

    # Necrosis holds in all but the first two; whose class decides the table.
    held = {item: "no" if item in items[:2] else "yes" for item in items}
    counts = [
        [sum(kinds[i] == kind and held[i] == level for i in items) for level in ("yes", "no")]
        for kind in ("real", "synthetic")
    ]
    results = json.loads(files["results.json"])["results"]["after_consensus"]
    found = next(one for one in results if one["question"] == "necrosis")
    assert [[level["count"] for level in g["levels"]] for g in found["groups"]] == counts
    # All are alike: Wilson's interval of all of them.
    (whole,) = [
        level["share"]
        for group in next(one for one in results if one["question"] == "location")["groups"]
        for level in group["levels"]
        if group["group"] == "real" and level["level"] == "other"
    ]
    n_real = sum(kind == "real" for kind in kinds.values())
    wilson = scipy_stats.binomtest(n_real, n_real).proportion_ci(method="wilson")
    assert (whole["value"], whole["low"]) == pytest.approx((1.0, wilson.low))
    exact = next(one for one in found["tests"] if one["name"].startswith("Fisher"))
    assert exact["p"] == pytest.approx(scipy_stats.fisher_exact(counts).pvalue)
    assert found["items"]["consensus"] == 2
    assert found["items"]["readers_agreed"] == 4
    assert list(Rating.objects.order_by("pk").values()) == initial


def test_quality_scores_that_differ_by_more_than_one_go_before_the_readers():
    study = papers.running_study("wang2023-quality", 4)
    items = sorted(set(study.study_cases.values_list("item", flat=True)))
    first, second = ["3", "2", "1", "0"], ["3", "3", "3", "0"]

    def read(reader, item):
        score = (first if reader == "R1" else second)[items.index(item)]
        return {"distribution": score, "degree": "2", "border": "2"}

    papers.read_to_the_end(study, read)
    client = papers.close(study)
    page = reverse("study-adjudication", args=[study.pk])
    readers = [enrolment.reader for enrolment in study.readers]
    shown = client.get(page)
    differing = next(r for r in shown.context["found"] if r.question.code == "distribution")
    assert differing.by_rule == [2, 1, 0]  # by more than 0, 1 and 2 levels
    sent = {
        "questions": ["distribution", "degree"],
        "more_than": 1,
        "panel": [user.pk for user in readers],
    }
    assert client.post(page, sent).status_code == 302
    laid = Round.objects.get(study=study).discordances.get()
    assert (laid.item, laid.opinions) == (items[2], ["1", "3"])

    for member, own in zip(readers, ("1", "3"), strict=True):
        papers.vote(
            study,
            member,
            lambda *_, own=own: {"distribution": own},
            lambda *_: {"distribution": "2"},
        )
    client.post(reverse("study-adjudication-conclude", args=[study.pk]))
    files = unblinded(client, study)
    rows = {(r["question"], r["item"]): r for r in table(files["consensus.csv"])}
    settled = rows["distribution", items[2]]
    assert settled["rule"] == "levels differ by more than 1"
    assert (settled["own_votes"], settled["final_votes"], settled["value"]) == ("1|3", "2|2", "2")
    assert rows["distribution", items[1]]["how"] == "not laid before a panel"
    results = json.loads(files["results.json"])["results"]["after_consensus"]
    score = next(one for one in results if one["question"] == "distribution")
    # 3 by agreement, 2.5 as the mean within the rule, 2 by consensus, 0 by agreement
    mean = score["means"][0]
    interval = scipy_stats.t.interval(0.95, 3, 7.5 / 4, scipy_stats.sem([3, 2.5, 2, 0]))
    assert mean["value"] == pytest.approx(7.5 / 4)
    assert (mean["low"], mean["high"]) == pytest.approx(interval)
    assert score["items"] == {
        "items": 4,
        "readers_agreed": 2,
        "consensus": 1,
        "no_majority": 0,
        "not_laid": 1,
        "not_evaluable": 0,
    }
    initial = {
        (r["reader"], r["item"]): r["value"]
        for r in table(files["reads_long.csv"])
        if r["question"] == "distribution"
    }
    assert [initial["R1", item] for item in items] == first
    assert [initial["R2", item] for item in items] == second


def test_scores_of_cases_beside_each_other_are_no_reference_standard_of_one():
    study = papers.running_study("wang2023-quality", 2)
    items = sorted(set(study.study_cases.values_list("item", flat=True)))
    papers.read_to_the_end(
        study,
        lambda reader, _: {
            "distribution": "3" if reader == "R1" else "0",
            "degree": "2",
            "border": "2",
        },
    )
    client = papers.close(study)
    panel = papers.panel_of(study, 1)
    page = reverse("study-adjudication", args=[study.pk])
    client.post(page, {"questions": ["distribution"], "more_than": 0, "panel": [panel[0].pk]})
    papers.vote(study, panel[0], *[lambda *_: {"distribution": "2"}] * 2)
    client.post(reverse("study-adjudication-conclude", args=[study.pk]))
    sent = client.post(
        reverse("study-adjudication-adopt", args=[study.pk]),
        {"question": "distribution", "arm": "main", "endpoint": "quality", "reason": "x"},
    )
    assert sent.status_code == 400
    assert "cases beside each other" in sent.content.decode()
    assert len(items) == 2
