"""The launch checklist looks at the images: present, nameless, in range, ready."""

from __future__ import annotations

import pytest

from readerstudy.cases.models import Case, Series
from readerstudy.core.errors import Conflict
from readerstudy.reading.models import EncodedSeries
from readerstudy.reading.scheduling import launch, lock_and_allocate
from readerstudy.studies import design
from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, checklist
from readerstudy.studies.viewing import Overlay, OverlayLabel, Slot, Viewing, document_of
from tests.factories import SeriesFactory, prepare_images, ready_study

pytestmark = pytest.mark.django_db
MAP = Slot("t1c", "CBV", unit="mL/100 g", range=(0, 12))


@pytest.fixture
def study():
    return ready_study()


def found(study, words: str):
    study.refresh_from_db()
    checks = [check for check in checklist(study) if words in check.statement]
    assert len(checks) == 1, [check.statement for check in checklist(study)]
    return checks[0]


def show(study, **options) -> None:
    viewing = Viewing(**{"slots": (Slot("t1c", "T1c"),), **options})
    design.set_viewing(study=study, document=document_of(viewing), actor=study.created_by)


def flag(study, code: str) -> Case:
    series = Series.objects.filter(case__in=study.cases.all()).order_by("case__code").first()
    Series.objects.filter(pk=series.pk).update(flags=[code])
    return series.case


def test_a_series_that_went_missing_blocks(study):
    assert found(study, "T1 after contrast present").status == PASSED
    case = study.cases.first()
    case.series.all().delete()
    check = found(study, "missing in 1 cases")
    assert (check.status, check.evidence) == (BLOCKS, f"Cases {case.code}")


def test_a_face_blocks_until_a_reason_is_on_record(study):
    assert found(study, "No face and no burned-in text").status == PASSED
    case = flag(study, "face")
    check = found(study, "1 cases show a face")
    assert check.status == BLOCKS
    assert case.code in check.evidence
    with pytest.raises(Conflict, match="show a face"):
        lock_and_allocate(study=study, actor=study.created_by)
    show(study, faces_reason="Whole heads are what is compared")
    check = found(study, "1 cases show a face")
    assert (check.status, check.evidence) == (LOOK, "Kept: Whole heads are what is compared")


def test_burned_in_text_blocks_whatever_is_on_record(study):
    case = flag(study, "burned_in")
    show(study, faces_reason="Whole heads")
    check = found(study, "text burned into the image")
    assert check.status == BLOCKS
    assert case.code in check.evidence


def test_an_overlay_is_there_for_all_or_for_none(study):
    show(study, overlay=Overlay("mask", (OverlayLabel(1, "Core", "#e69f00"),)))
    assert found(study, "No case has the overlay").status == LOOK
    first, *others = study.cases.all()
    SeriesFactory(case=first, role="mask")
    check = found(study, "Only 1 of 4 cases have the overlay")
    assert check.status == BLOCKS
    for case in others:
        SeriesFactory(case=case, role="mask")
    assert found(study, "Overlay present").status == PASSED


def test_the_share_beyond_the_range_is_reported(study):
    show(study, slots=(MAP,))
    lock_and_allocate(study=study, actor=study.created_by, seed="seed")
    study.refresh_from_db()
    prepare_images(study)
    assert found(study, "CBV: within the range").evidence.startswith("At most 0.0 % of a case")
    one = EncodedSeries.objects.filter(study=study).order_by("case__code").first()
    EncodedSeries.objects.filter(pk=one.pk).update(facts={"voxels": 1000, "clipped": 32})
    check = found(study, "CBV: 1 cases reach beyond the range")
    assert check.status == LOOK
    assert "3.2 %" in check.evidence
    assert "0 to 12 mL/100 g" in check.evidence
    assert one.case.code in check.evidence


def test_another_unit_at_the_import_is_pointed_out(study):
    show(study, slots=(MAP,))
    series = Series.objects.filter(case__in=study.cases.all()).first()
    Series.objects.filter(pk=series.pk).update(unit="mL/100 mL")
    check = found(study, "imported in other units")
    assert (check.status, "mL/100 mL" in check.evidence) == (LOOK, True)


def test_images_that_are_not_ready_block_the_launch(study):
    lock_and_allocate(study=study, actor=study.created_by, seed="seed")
    assert found(study, "Images are being prepared").status == BLOCKS
    study.refresh_from_db()
    prepare_images(study)
    assert found(study, "One form for all images").status == PASSED
    EncodedSeries.objects.filter(study=study).first().delete()
    with pytest.raises(Conflict, match="Images are being prepared"):
        launch(study=study, actor=study.created_by)
