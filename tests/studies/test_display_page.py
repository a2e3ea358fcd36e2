"""How images are shown is chosen on a page, with refusals in place, and frozen at the lock."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.models import AuditRecord
from readerstudy.studies.models import Study
from readerstudy.studies.viewing import Overlay, OverlayLabel, Slot
from readerstudy.studies.viewing_form import initial_of
from tests.factories import CaseFactory, StudyFactory, locked_study, ready_study

pytestmark = pytest.mark.django_db


def filled(study: Study, **changes):
    """The form as the page shows it, with changes."""
    data = {k: v for k, v in initial_of(study.display).items() if v is not False}
    for number in range(1, 7):
        data.setdefault(f"plane_{number}", "axial")
    return {**data, **changes}


def post(client, study: Study, **changes):
    client.force_login(study.created_by)
    return client.post(reverse("study-display", args=[study.pk]), filled(study, **changes))


def test_saving_the_page_unchanged_changes_nothing(client):
    study = StudyFactory()
    before = study.viewing
    assert post(client, study).status_code == 302
    study.refresh_from_db()
    assert study.viewing == before


def test_series_planes_maps_and_overlay_are_stored_with_a_record(client):
    study = StudyFactory()
    response = post(
        client,
        study,
        role_2="cbv",
        label_2="CBV",
        plane_2="coronal",
        unit_2="mL/100 g",
        low_2="0",
        high_2="12.5",
        colour_2="inferno",
        initial_hanging="1x2",
        allowed=["1x1"],
        tools=["zoom", "window"],
        presets="Soft tissue 2 – 98\n\nNarrow 10 90",
        overlay="on",
        overlay_labels="1 Tumour core #E69F00",
        opacity="0.3",
    )
    assert response.status_code == 302
    study.refresh_from_db()
    shown = study.display
    assert shown.slots[1] == Slot("cbv", "CBV", "coronal", "mL/100 g", (0.0, 12.5), "inferno")
    assert (shown.initial, shown.allowed) == ("1x2", ("1x1", "1x2"))
    assert shown.tools == ("zoom", "window")
    assert [(p.label, p.low, p.high) for p in shown.presets] == [
        ("Soft tissue", 2, 98),
        ("Narrow", 10, 90),
    ]
    assert shown.overlay == Overlay("mask", (OverlayLabel(1, "Tumour core", "#e69f00"),), 0.3)
    assert AuditRecord.objects.get(action="study.set_viewing").new == study.viewing


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"role_1": ""}, "Choose at least one series to show"),
        ({"role_2": "t1c"}, "chosen twice"),
        ({"role_2": "adc", "unit_2": "mm²/s"}, "needs both a unit and a fixed range"),
        ({"role_2": "adc", "unit_2": "mm²/s", "low_2": "0"}, "a lowest and a highest value"),
        ({"role_2": "adc", "low_2": "much"}, "Enter a number"),
        ({"presets": "Tissue"}, "“Tissue” is no window"),
        ({"presets": "Tissue 1.2.3 98"}, "the percentiles are not numbers"),
        ({"overlay": "on", "overlay_labels": "core red"}, "“core red” is no label"),
        ({"overlay": "on", "overlay_labels": ""}, "needs 1 to 40 labels"),
    ],
)
def test_a_fault_is_told_on_the_page_and_nothing_is_stored(client, changes, words):
    study = StudyFactory()
    before = study.viewing
    response = post(client, study, **changes)
    assert response.status_code == 400
    assert words in response.content.decode()
    study.refresh_from_db()
    assert study.viewing == before


def test_a_series_that_a_chosen_case_lacks_is_refused(client):
    study = ready_study()
    response = post(client, study, role_2="flair", label_2="FLAIR")
    assert response.status_code == 400
    assert "4 cases have no flair series" in response.content.decode()


def test_an_imported_series_of_another_name_can_be_chosen(client):
    CaseFactory(roles=("ktrans",))
    study = StudyFactory()
    assert post(client, study, role_1="ktrans", label_1="Ktrans").status_code == 302
    study.refresh_from_db()
    assert study.slots == ["ktrans"]


def test_a_locked_display_is_frozen_in_the_protocol(client):
    study = locked_study()
    assert study.protocol["viewing"] == study.viewing
    response = post(client, study, initial_hanging="2x2")
    assert response.status_code == 409
    assert "The protocol is locked" in response.content.decode()


def test_the_draft_shows_the_display_beside_the_questions(client):
    study = StudyFactory()
    client.force_login(study.created_by)
    text = client.get(reverse("study", args=[study.pk])).content.decode()
    assert "T1 after contrast, axial" in text
    assert "One pane, the same for all" in text
    assert reverse("study-display", args=[study.pk]) in text
