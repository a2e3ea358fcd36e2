"""Who sees what beside the images: origin where it may be seen, and no comparison where not."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

import numpy as np
import pytest
from django.urls import reverse

from readerstudy.cases.models import Case
from readerstudy.core.models import AuditRecord
from readerstudy.studies import design
from readerstudy.truth import register
from tests.factories import (
    CaseFactory,
    CoordinatorFactory,
    ReaderFactory,
    StudyFactory,
    locked_study,
    real_case,
)
from tests.truth.native import add_series, fetch, page_data, rotation, viewer

pytestmark = pytest.mark.django_db
SHAPE, SPACING = (12, 14, 10), (1.0, 1.0, 2.0)
GENERATOR = "toy-generator-7"


@pytest.fixture
def staff(client):
    client.force_login(CoordinatorFactory())
    return client


@pytest.fixture
def pair():
    """A real case and its synthetic version: T1 is the same image, T1c was generated."""
    real, synthetic = real_case(roles=[]), CaseFactory(roles=[])
    Case.objects.filter(pk=synthetic.pk).update(subject=real.subject)
    synthetic.refresh_from_db()
    shared = np.random.default_rng(1).integers(0, 900, SHAPE).astype(np.int16)
    for case, factor in ((real, 1.0), (synthetic, 1.25)):
        add_series(case, "t1", SHAPE, SPACING, array=shared)
        array = np.random.default_rng(2).integers(0, 900, SHAPE) * factor
        add_series(case, "t1c", SHAPE, SPACING, array=array.astype(np.float32))
    made = register.Generated(generator=GENERATOR, run=uuid.uuid4(), record_sha256="0" * 64)
    register.declare_synthetic(case=synthetic, generated=made, actor=None)
    return real, synthetic


def compare(first, second, **query):
    return reverse("case-compare", args=[first.pk, second.pk], query=query)


def put_in_study(cases):
    """A locked study with these cases among its own."""
    study = locked_study()
    study.study_cases.model.objects.bulk_create(
        study.study_cases.model(study=study, case=case, item=f"X{case.code}") for case in cases
    )
    return study


def test_only_the_generated_series_is_tagged_and_the_look_is_recorded(staff, pair):
    _, synthetic = pair
    response = staff.get(viewer(synthetic))
    labels = {slot["role"]: slot["label"] for slot in page_data(response)["layout"]["slots"]}
    assert labels == {"t1": "T1", "t1c": "T1c, synthetic"}
    assert GENERATOR in response.content.decode()
    looks = AuditRecord.objects.filter(action="truth.look", target=f"case {synthetic.pk}")
    assert looks.count() == 1


def test_nothing_tells_while_a_study_is_blinded(staff, pair):
    real, synthetic = pair
    before = page_data(staff.get(viewer(synthetic)))
    put_in_study(pair)
    looks = AuditRecord.objects.filter(action="truth.look").count()
    pages = {}
    for case in pair:
        response = staff.get(viewer(case))
        text = response.content.decode()
        pages[case] = text
        for word in (GENERATOR, "synthetic</span>", ", synthetic", "on record as acquired"):
            assert word not in text
        for word in ("float32", "int16", "Exact values", "steps of"):
            assert word not in text
        data = page_data(response)
        assert all(slot["value"] is None for slot in data["layout"]["slots"])
        slab, _ = fetch(staff, data, "t1c")
        assert (slab.min(), slab.max()) == (0, 4095)
    assert AuditRecord.objects.filter(action="truth.look").count() == looks
    assert "A study with this case is locked" in pages[real]
    # An address from before the lock gives no values any more.
    address = f"{before['base']}{before['images']['t1c']}/0"
    assert staff.get(address).status_code == 403


def test_a_comparison_is_refused_while_either_case_is_blinded(staff, pair):
    real, synthetic = pair
    put_in_study([synthetic])
    for first, second in ((real, synthetic), (synthetic, real)):
        response = staff.get(compare(first, second))
        assert response.status_code == 403
        text = response.content.decode()
        assert "a comparison could tell real from synthetic" in text
        assert GENERATOR not in text
    panel = staff.get(reverse("case", args=[synthetic.pk])).content.decode()
    assert "Compare with" not in panel
    assert "Not now" in staff.get(viewer(synthetic)).content.decode()


def test_somebody_who_reads_elsewhere_sees_no_origin(client, pair):
    user = CoordinatorFactory()
    study = StudyFactory()
    reader = ReaderFactory(may_coordinate=True)
    design.enrol(study=study, reader=reader, actor=study.created_by)
    client.force_login(reader)
    assert client.get(compare(*pair)).status_code == 403
    assert GENERATOR not in client.get(viewer(pair[1])).content.decode()
    client.force_login(user)
    assert client.get(compare(*pair)).status_code == 200


def test_the_series_that_differs_is_compared_first_with_its_difference(staff, pair):
    response = staff.get(compare(*pair, rule="values"))
    data = page_data(response)
    assert [slot["role"] for slot in data["layout"]["slots"]] == ["a_t1c", "b_t1c"]
    assert data["layout"]["slots"][1]["label"].endswith(", synthetic")
    (difference,) = data["differences"]
    assert (difference["of"], difference["minus"]) == ("a_t1c", "b_t1c")
    first, slot = fetch(staff, data, "a_t1c")
    second, other = fetch(staff, data, "b_t1c")
    assert slot["value"] == other["value"]
    assert slot["window"] == other["window"]
    value = slot["value"]
    wanted = np.random.default_rng(2).integers(0, 900, SHAPE) * -0.25
    found = (first.astype(int) - second) * value["slope"]
    np.testing.assert_allclose(found, wanted, atol=value["slope"])
    assert np.abs(first.astype(int) - second).max() <= 32767


def test_matched_images_differ_by_nothing_where_only_the_scale_differs(staff, pair):
    data = page_data(staff.get(compare(*pair)))
    first, slot = fetch(staff, data, "a_t1c")
    second, _ = fetch(staff, data, "b_t1c")
    assert slot["value"]["unit"] == "%"
    assert slot["colour"] is None
    assert np.abs(first.astype(int) - second).max() <= 1


def test_the_reason_stands_where_no_difference_can_be(staff, pair):
    real, _ = pair
    other = real_case(roles=[])
    add_series(other, "t1", (10, 10, 10), (1, 1, 1), turn=rotation(0, 9))
    data = page_data(staff.get(compare(real, other)))
    assert data["differences"] == []
    (message,) = data["messages"]
    assert "They lie on different grids" in message["text"]
    assert "middles on each other" in staff.get(compare(real, other)).content.decode()


def test_units_that_differ_are_matched_or_not_subtracted(staff):
    first, second = real_case(roles=[]), real_case(roles=[])
    add_series(first, "cbv", SHAPE, SPACING, unit="mL/100 g")
    add_series(second, "cbv", SHAPE, SPACING)
    text = staff.get(compare(first, second, rule="values")).content.decode()
    assert "They have mL/100 g and no unit. Choose the matched scale." in text
    assert page_data(staff.get(compare(first, second, rule="matched")))["differences"]


def test_cases_without_a_common_sequence_are_refused_in_words(staff):
    first, second = real_case(roles=["t1"]), real_case(roles=["t2"])
    response = staff.get(compare(first, second))
    assert response.status_code == 400
    assert "have no sequence in common" in response.content.decode()
    assert staff.get(compare(first, first)).status_code == 400


def test_the_other_case_is_found_by_its_code(staff, pair):
    real, synthetic = pair
    found = staff.get(viewer(real, compare=synthetic.code.lower(), list="q=04"))
    assert found.url == f"{compare(real, synthetic)}?{urlencode({'list': 'q=04'})}"
    missing = staff.get(viewer(real, compare="nothing"), follow=True)
    assert "There is no other case nothing" in missing.content.decode()


def test_the_way_back_leads_to_the_same_place_of_the_list(staff, pair):
    listed = "q=04&page=2"
    panel = staff.get(f"{reverse('case', args=[pair[0].pk])}?{listed}").content.decode()
    assert f"viewer/?list={urlencode({'': listed})[1:]}" in panel.replace("&amp;", "&")
    text = staff.get(viewer(pair[0], list=listed)).content.decode()
    back = reverse("case", args=[pair[0].pk])
    assert f'href="{back}?q=04&amp;page=2"' in text
    evil = staff.get(viewer(pair[0], list='"><script>')).content.decode()
    assert "<script>&" not in evil
    assert '"><script>' not in evil.split("viewer-data")[0].split("<body")[1]


def test_quality_flags_are_said_in_words(staff):
    case = real_case(roles=[])
    add_series(case, "t1", SHAPE, SPACING, flags=["gap"])
    add_series(case, "t2", SHAPE, SPACING, damage="changed")
    text = staff.get(viewer(case)).content.decode()
    assert "Gap between slices" in text
    assert "Lesions may be hidden." in text
    assert "Damaged in store" in text


def test_a_case_without_an_image_says_so(staff):
    response = staff.get(viewer(real_case(roles=[])))
    assert response.status_code == 400
    assert "has no image that can be shown" in response.content.decode()
