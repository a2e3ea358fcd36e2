"""The list of cases: found by code, subject or checksum; gaps are seen; origin is not."""

from __future__ import annotations

import hashlib

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from readerstudy.cases import columns, panel, storage, usage
from readerstudy.cases.models import Case
from readerstudy.studies import design
from tests.factories import (
    CaseFactory,
    CoordinatorFactory,
    ReaderFactory,
    SeriesFactory,
    StudyFactory,
    locked_study,
    real_case,
    small_volume,
    synthetic_case,
)

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def page(client):
    client.force_login(CoordinatorFactory())
    return lambda pk=None, **query: client.get(
        reverse("case", args=[pk]) if pk else reverse("cases"), query
    )


def codes(response) -> list[str]:
    return [row.case.code for row in response.context["listing"].rows]


def test_cases_are_listed_by_code_with_their_gaps(page):
    CaseFactory(code="0452", roles=["t1c"])
    CaseFactory(code="0412")
    response = page()
    text = response.content.decode()
    assert codes(response) == ["0412", "0452"]
    assert text.count("</span>none</span>") == 3
    assert "3 missing" in text
    assert "8 × 10 × 6" in text
    assert "1.0 × 1.0 × 2.0 mm" in text


@pytest.mark.parametrize("find", ["041", "S-77", "checksum"])
def test_a_case_is_found_by_code_subject_or_checksum(page, find):
    case = CaseFactory(code="0412", subject__code="S-7711", roles=["t1c"])
    CaseFactory(code="9999", subject__code="S-0001", roles=["t1c"])
    query = case.series.get().sha256[:12].upper() if find == "checksum" else find
    assert codes(page(q=query)) == ["0412"]


def test_a_search_without_result_offers_the_way_back(page):
    CaseFactory()
    text = page(q="no such case").content.decode()
    assert "No case fits" in text
    assert 'value="no such case"' in text


def test_filters_count_what_they_leave(page):
    CaseFactory(code="1111")
    CaseFactory(code="2222", roles=["t1", "t2"])
    CaseFactory(code="3333", withdrawn_at=timezone.now())
    response = page(show="complete")
    chips = {chip.key: chip.count for chip in response.context["listing"].chips}
    assert {key: chips[key] for key in ("all", "complete", "flags", "withdrawn")} == {
        "all": 3,
        "complete": 2,
        "flags": 2,
        "withdrawn": 1,
    }
    assert codes(response) == ["1111", "3333"]
    assert codes(page(show="flags")) == ["2222", "3333"]
    assert codes(page(show="withdrawn")) == ["3333"]
    assert codes(page(show="anything else")) == ["1111", "2222", "3333"]


def test_different_grids_and_thick_slices_are_flagged():
    case = CaseFactory(roles=["t1", "t2", "flair"])
    SeriesFactory(case=case, role="t1c", volume=small_volume(1, shape=(4, 10, 8)))
    case.series.filter(role="t2").update(spacing_mm=[6.5, 1, 1])
    user = CoordinatorFactory()
    flags = panel.detail(case, columns.columns_of(user)).flags
    assert [flag.words for flag in flags] == ["2 grids", "Thick slices"]


def test_long_lists_come_in_pages_and_keep_the_search(page):
    for number in range(1001, 1014):
        CaseFactory(code=str(number), roles=[])
    response = page(q="10", page=2)
    assert codes(response) == ["1013"]
    assert "q=10&amp;page=1" in response.content.decode()


def test_an_empty_store_says_how_cases_come_in(page):
    text = page().content.decode()
    assert "No cases yet" in text
    assert "manage.py import_cases FOLDER" in text


def test_the_panel_shows_geometry_checksums_and_use(page):
    study = StudyFactory()
    case = real_case(code="0412", roles=["t1c"])
    design.set_cases(study=study, cases=[case], actor=study.created_by)
    series = case.series.get()
    type(series).objects.update(facts={"field_strength_t": 3.0, "contrast_agent": True})
    text = " ".join(page(case.pk).content.decode().split())
    assert "Case 0412" in text
    assert "8 × 10 × 6, 1.0 × 1.0 × 2.0 mm" in text
    assert series.sha256 in text
    assert "1 study" in text
    assert "contrast agent, field strength t 3.0" in text
    assert "1 of 4" in text
    assert "not verified yet" in text


def test_facts_that_could_tell_are_hidden_while_a_study_is_blinded(page):
    study = locked_study()
    case = study.cases.first()
    case.series.update(facts={"field_strength_t": 3.0})
    text = page(case.pk).content.decode()
    assert "field strength" not in text
    assert "imported <time" not in text
    assert "NIfTI" not in text
    assert "int16" not in text
    assert "Not shown here while a study with this case is blinded" in text
    assert usage.usage_of(case) == usage.Usage(studies=1, running=0, blinded=1)


def test_no_page_tells_the_class(page):
    real, synthetic = real_case(roles=["t1c"]), synthetic_case(roles=["t1c"])
    for response in (page(), page(real.pk), page(synthetic.pk)):
        text = response.content.decode().lower()
        assert "synthetic" not in text
        assert "toy" not in text


def test_a_case_that_does_not_exist(page):
    CaseFactory(roles=[])
    response = page("00000000-0000-0000-0000-000000000000")
    assert response.status_code == 404
    assert "There is no such case" in response.content.decode()


def test_the_thumbnail_is_drawn_once_and_kept(page, client):
    series = SeriesFactory()
    address = reverse("series-thumbnail", args=[series.pk])
    first = client.get(address)
    assert (first["Content-Type"], first.content[:8]) == ("image/png", PNG)
    assert first["Cache-Control"] == "private, max-age=86400"
    kept = list((settings.MEDIA_ROOT / "thumbnails").rglob("*.png"))
    assert [path.name for path in kept] == [f"{series.sha256}-small.png"]
    storage.path_of(series.object_name).unlink()
    assert client.get(address).content == first.content


@pytest.mark.parametrize(("size", "pixels"), [("small", 104), ("large", 376), ("huge", 104)])
def test_the_thumbnail_has_one_of_two_sizes(page, client, size, pixels):
    address = reverse("series-thumbnail", args=[SeriesFactory().pk])
    content = client.get(address, {"size": size}).content
    assert int.from_bytes(content[16:20], "big") == pixels  # width in the PNG header


def test_a_damaged_object_is_named_and_not_drawn(page, client):
    series = SeriesFactory()
    path = storage.path_of(series.object_name)
    path.chmod(0o600)
    path.write_bytes(b"something else")
    response = client.get(reverse("series-thumbnail", args=[series.pk]))
    assert response.status_code == 500
    assert "is damaged" in response.content.decode()
    assert hashlib.sha256(b"something else").hexdigest() != series.object_name


def test_readers_see_no_cases(client):
    client.force_login(ReaderFactory())
    series = SeriesFactory()
    for address in (
        reverse("cases"),
        reverse("case", args=[Case.objects.get().pk]),
        reverse("series-thumbnail", args=[series.pk]),
    ):
        assert client.get(address).status_code == 403
