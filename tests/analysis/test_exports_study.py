"""Exports of a study that was read here: images as BIDS, ratings through the interface, files."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from django.urls import reverse
from drf_spectacular.validation import validate_schema

from readerstudy.cases import canonical
from readerstudy.cases.models import Series
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Membership
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
# Of the BIDS schema 1.10: entities in their order, and the suffixes of anat.
NAME = re.compile(
    r"sub-(?P<sub>[A-Za-z0-9]+)/ses-(?P<ses>[A-Za-z0-9]+)/anat/sub-(?P=sub)_ses-(?P=ses)"
    r"(_ce-[A-Za-z0-9]+)?(_desc-(?P<desc>[A-Za-z0-9]+))_(T1w|T2w|FLAIR|PDw)\.(nii\.gz|json)"
)


@pytest.fixture
def made():
    made = scenario.running(2, 2)
    for number in range(2):
        scenario.read_all(made.enrolment(number), lambda _: scenario.body("real", "4"))
    lifecycle.close(study=made.study, actor=made.coordinator, reason="done")
    unblind(study=made.refresh(), actor=made.coordinator, reason="planned",
            typed_name=made.study.name)  # fmt: skip
    made.refresh()
    return made


@pytest.fixture
def page(client, made):
    client.force_login(made.coordinator)
    return client


@pytest.fixture
def bids(page, made, tmp_path) -> Path:
    answer = page.get(reverse("study-bids", args=[made.study.pk]))
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        archive.extractall(tmp_path / "bids")
    return tmp_path / "bids"


def paths(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_data_set_is_a_bids_derivative_by_its_rules(bids, made):
    description = json.loads((bids / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion", "DatasetType", "GeneratedBy"} <= set(description)
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["Name"] == "readerstudy"
    top = {"README", "dataset_description.json", "participants.tsv", "participants.json",
           ".bidsignore"}  # fmt: skip
    files = set(paths(bids))
    assert top <= files
    assert all(NAME.fullmatch(path) for path in files - top), files - top
    images = [path for path in files if path.endswith(".nii.gz")]
    assert {path.replace(".nii.gz", ".json") for path in images} <= files
    text = (bids / "participants.tsv").read_text()
    people = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert {one["participant_id"] for one in people} == {path.split("/")[0] for path in images}
    assert set(people[0]) == set(json.loads((bids / "participants.json").read_text()))


def test_each_image_lies_where_it_lay_and_says_whether_it_is_synthetic(bids, made):
    kinds = {one.case.code: one for one in Origin.objects.select_related("case")}
    roles = [slot.role for slot in made.study.display.slots]
    rows = Series.objects.filter(case__in=made.study.cases.all(), role__in=roles)
    seen = 0
    for one in rows.select_related("case__subject"):
        label = re.sub("[^A-Za-z0-9]", "", one.case.code)
        found = list(
            bids.glob(f"sub-*/ses-{label}/anat/*{'_ce-' if one.role == 't1c' else ''}*.nii.gz")
        )
        path = next(p for p in found if ("_ce-" in p.name) == (one.role == "t1c"))
        image = nibabel.load(path)
        array = canonical.load_array(one)
        assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), array)
        corner = np.array([3, 5, 2, 1.0])
        lps = np.array(one.affine_lps) @ corner
        assert image.affine @ corner == pytest.approx([-lps[0], -lps[1], lps[2], 1])
        origin = kinds[one.case.code]
        sidecar = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
        assert sidecar["Synthetic"] == (origin.kind == "synthetic")
        assert sidecar.get("Generator", "") == origin.generator
        assert f"_desc-{origin.kind}_" in path.name
        seen += 1
    assert seen == rows.count() > 0


def test_nothing_in_the_data_set_names_a_person_or_a_date(bids, made):
    text = "\n".join([*paths(bids), *(p.read_text() for p in bids.rglob("*.json"))])
    for name in ("real-0", "synthetic-0", "reader1", "coordinator", "2026"):
        assert name not in text.replace("desc-real", "").replace("desc-synthetic", "")


def test_ratings_come_page_by_page_as_the_long_form_has_them(page, made):
    address = reverse("study-ratings-api", args=[made.study.pk])
    rows, number = [], 1
    while number:
        answer = page.get(address, {"page": number, "page_size": 5}).json()
        rows += answer["ratings"]
        assert len(answer["ratings"]) <= 5
        number = answer["next"]
    assert len(rows) == 2 * 4 * 2  # readers, cases, questions
    assert {row["value"] for row in rows if row["question"] == "origin"} == {"real"}
    assert {row["origin"] for row in rows} == {"real", "synthetic"}
    own = page.get(address, {"reader": "R1", "question": "confidence"}).json()
    assert [row["value"] for row in own["ratings"]] == ["4"] * 4
    assert own["next"] is None
    text = json.dumps(rows)
    assert "reader1" not in text
    refused = page.get(address, {"page": "x"})
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "page must be a whole number from 1 on."


def test_only_who_may_export_gets_ratings_and_images(client, made):
    routes = [reverse(name, args=[made.study.pk])
              for name in ("study-ratings-api", "study-bids", "study-others")]  # fmt: skip
    for role, status in (("statistician", 200), ("blinded", 403), ("auditor", 403)):
        user = UserFactory()
        Membership.objects.create(study=made.study, user=user, role=role)
        client.force_login(user)
        for one in routes:
            answer = client.get(one)
            b"".join(answer)  # read to its end, which closes what it rests on
            assert answer.status_code == status, (role, one)


def test_the_interface_is_described_and_the_answer_follows_the_description(page, made):
    schema = page.get(reverse("api-schema")).json()
    validate_schema(schema)
    path = schema["paths"]["/api/v1/studies/{id}/ratings/"]["get"]
    assert {one["name"] for one in path["parameters"]} >= {"page", "page_size", "reader"}
    named = schema["components"]["schemas"]["Rating"]["properties"]
    answer = page.get(reverse("study-ratings-api", args=[made.study.pk])).json()
    assert set(answer["ratings"][0]) == set(named)


def test_the_page_lists_files_that_can_be_had(page, made):
    shown = page.get(reverse("study-others", args=[made.study.pk]))
    names = [name for name, _ in shown.context["files"]]
    assert {"imrmc_origin.imrmc", "redcap_dictionary.csv", "exports.csv"} <= set(names)
