"""Actions on many cases: previewed row by row, confirmed once, checked again at the end."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from readerstudy.cases import labelling, storage
from readerstudy.cases.models import Case, CaseChange, Series
from readerstudy.core import jobs
from readerstudy.core.cells import safe_cell
from readerstudy.core.models import AuditRecord, Job
from readerstudy.studies import design
from readerstudy.studies.models import StudyCase
from tests.factories import (
    CaseFactory,
    CoordinatorFactory,
    SeriesFactory,
    StudyFactory,
    locked_study,
    running_study,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client):
    user = CoordinatorFactory()
    client.force_login(user)
    return user


@pytest.fixture
def choose(client, user):
    """Choose cases in the list for an action; return the change that waits."""

    def choose(action, chosen=(), **more):
        sent = {"action": action, "case": [str(case.pk) for case in chosen], **more}
        response = client.post(reverse("cases-select"), sent)
        assert response.status_code == 302, response.content
        found = CaseChange.objects.order_by("-created_at").first()
        assert found is not None, "nothing was chosen"
        assert response.url == reverse("cases-change", args=[found.pk])
        return found

    return choose


@pytest.fixture
def preview(client):
    def preview(change, **values):
        response = client.post(reverse("cases-change", args=[change.pk]), values)
        assert response.status_code == 302, response.content
        change.refresh_from_db()
        return {row["code"]: row for row in change.rows}

    return preview


@pytest.fixture
def confirm(client):
    def confirm(change, revision=None):
        sent = {"confirm": "1", "revision": revision or change.revision}
        response = client.post(reverse("cases-change", args=[change.pk]), sent, follow=True)
        change.refresh_from_db()
        return response.content.decode()

    return confirm


def test_nothing_changes_before_the_confirmation(choose, preview, confirm):
    old = CaseFactory(code="0001", roles=[], stratum="Metastasis")
    same = CaseFactory(code="0002", roles=[], stratum="Glioma")
    change = choose("stratum", [old, same])
    rows = preview(change, stratum="  Glioma ")
    assert (rows["0001"]["old"], rows["0001"]["new"]) == ("Metastasis", "Glioma")
    assert rows["0001"]["reason"] == ""
    assert rows["0002"]["reason"] == "It is in this stratum already."
    assert Case.objects.get(code="0001").stratum == "Metastasis"
    assert not AuditRecord.objects.exists()
    assert "1 case put in the stratum “Glioma”." in confirm(change)
    assert Case.objects.get(code="0001").stratum == "Glioma"
    assert [r.action for r in AuditRecord.objects.all()] == ["case.set_stratum"]


def test_the_preview_page_shows_old_and_new_and_the_reasons(client, choose, preview):
    CaseFactory(code="0001", roles=[], stratum="Metastasis")
    CaseFactory(code="0002", roles=[], stratum="Glioma")
    change = choose("stratum", Case.objects.all())
    address = reverse("cases-change", args=[change.pk])
    asked = client.get(address).content.decode()
    assert "Show the preview" in asked
    assert 'name="confirm"' not in asked
    preview(change, stratum="Glioma")
    text = client.get(address).content.decode()
    assert "1 change, 1 not" in text
    assert "Set the stratum of 1 case" in text
    assert text.index("0002") < text.index("0001")  # what stays, and why, comes first


def test_confirming_twice_does_it_once(choose, preview, confirm):
    case = CaseFactory(roles=[])
    change = choose("tag", [case])
    preview(change, tags="Follow-up, check")
    first, second = confirm(change), confirm(change)
    assert "1 case tagged: follow-up, check." in first
    assert "1 case tagged: follow-up, check." in second
    assert labelling.tags_of(case) == ["check", "follow-up"]
    assert AuditRecord.objects.count() == 1


def test_what_moved_since_the_preview_is_named_and_asked_again(choose, preview, confirm, user):
    moved = CaseFactory(code="0001", roles=[])
    CaseFactory(code="0002", roles=[])
    change = choose("stratum", Case.objects.all())
    preview(change, stratum="Glioma")
    labelling.set_stratum(cases=[moved], stratum="Metastasis", actor=user)
    text = confirm(change)
    assert "Nothing was done: 1 case changed since the preview" in text
    assert set(Case.objects.values_list("stratum", flat=True)) == {"Metastasis", ""}
    assert (change.moved, change.done_at) == (["0001"], None)
    assert "2 cases put in the stratum" in confirm(change)


def test_an_older_preview_cannot_be_confirmed(choose, preview, confirm):
    case = CaseFactory(roles=[])
    change = choose("stratum", [case])
    preview(change, stratum="Glioma")
    seen = change.revision
    preview(change, stratum="Metastasis")
    confirm(change, revision=seen)
    assert change.done_at is None
    assert Case.objects.get().stratum == ""


def test_a_change_without_any_effect_is_refused(client, choose, preview, confirm):
    case = CaseFactory(roles=[], stratum="Glioma")
    change = choose("stratum", [case])
    preview(change, stratum="Glioma")
    text = client.get(reverse("cases-change", args=[change.pk])).content.decode()
    assert "Nothing would change." in text
    assert "Nothing would change." in confirm(change)
    assert change.done_at is None


def test_the_stratum_stands_still_in_a_blinded_study(choose, preview):
    study = locked_study()
    case = study.cases.order_by("code").first()
    rows = preview(choose("stratum", [case]), stratum="Glioma")
    assert "locked, running or closed" in rows[case.code]["reason"]


def test_tags_are_added_and_taken_off(choose, preview, confirm):
    case = CaseFactory(code="0001", roles=[])
    labelling.add_tags(cases=[case], tags=["check", "late"], actor=None)
    change = choose("untag", [case])
    rows = preview(change, tags="late")
    assert (rows["0001"]["old"], rows["0001"]["new"]) == ("check, late", "check")
    confirm(change)
    assert labelling.tags_of(case) == ["check"]
    rows = preview(choose("tag", [case]), tags="check")
    assert rows["0001"]["reason"] == "It has these tags already."


def test_a_wrong_tag_is_said_in_the_form(client, choose):
    change = choose("tag", [CaseFactory(roles=[])])
    response = client.post(reverse("cases-change", args=[change.pk]), {"tags": "x" * 41})
    assert response.status_code == 400
    assert "at most 40 characters" in response.content.decode()


def test_withdrawing_says_what_it_means_for_running_studies(choose, preview, confirm, user):
    study = running_study(actor=user)
    read = study.cases.order_by("code").first()
    free = CaseFactory(roles=[])
    gone = CaseFactory(roles=[], withdrawn_at=timezone.now())
    change = choose("withdraw", [read, free, gone])
    rows = preview(change, reason="wrong patient")
    assert "In 1 running study: readings not made yet are left out" in rows[read.code]["note"]
    assert rows[free.code]["note"] == ""
    assert rows[gone.code]["reason"] == "It was withdrawn already."
    confirm(change)
    assert Case.objects.available().filter(pk__in=[read.pk, free.pk]).count() == 0
    change = choose("reinstate", [read, free])
    assert preview(change, reason="a mistake")[read.code]["note"] == "Withdrawn: wrong patient"
    confirm(change)
    assert Case.objects.available().filter(pk__in=[read.pk, free.pk]).count() == 2


def test_what_readers_of_others_are_shown_is_not_taken_from_them(choose, preview, confirm):
    shown = running_study().cases.first()
    change = choose("withdraw", [shown])
    row = preview(change, reason="I want it")[shown.code]
    assert (row["new"], "study that is not yours" in row["reason"]) == ("in use", True)
    assert "Nothing would change" in confirm(change)
    Case.objects.filter(pk=shown.pk).update(withdrawn_at=timezone.now())
    again = choose("reinstate", [shown])
    assert "not yours" in preview(again, reason="I want it")[shown.code]["reason"]


def test_an_administrator_may_withdraw_every_case(choose, preview, confirm, user):
    shown = running_study().cases.first()
    type(user).objects.filter(pk=user.pk).update(is_superuser=True)
    change = choose("withdraw", [shown])
    preview(change, reason="Consent withdrawn")
    confirm(change)
    assert not Case.objects.available().filter(pk=shown.pk).exists()


def test_a_withdrawal_needs_its_reason(client, choose):
    change = choose("withdraw", [CaseFactory(roles=[])])
    response = client.post(reverse("cases-change", args=[change.pk]), {"reason": " "})
    assert response.status_code == 400
    assert Case.objects.available().count() == 1


def test_cases_are_added_to_a_draft_with_reasons_where_they_do_not_fit(
    choose, preview, confirm, user
):
    study = StudyFactory(actor=user)
    inside = CaseFactory(roles=["t1c"])
    design.set_cases(study=study, cases=[inside], actor=user)
    fits = CaseFactory(roles=["t1c"], subject=inside.subject)
    lacks = CaseFactory(roles=["t1"])
    gone = CaseFactory(roles=["t1c"], withdrawn_at=timezone.now())
    change = choose("study", [inside, fits, lacks, gone])
    rows = preview(change, study=str(study.pk))
    assert rows[inside.code]["reason"] == "It is in the study already."
    assert "shows T1c, which the case does not have" in rows[lacks.code]["reason"]
    assert rows[gone.code]["reason"] == "It was withdrawn."
    assert rows[fits.code]["reason"] == ""
    assert "another case of this subject" in rows[fits.code]["note"]
    confirm(change)
    assert set(study.cases.all()) == {inside, fits}
    assert AuditRecord.objects.last().action == "study.add_cases"


def test_only_own_drafts_take_cases(client, choose, user):
    other, locked = StudyFactory(), locked_study()
    change = choose("study", [CaseFactory(roles=["t1c"])])
    for study in (other, locked):
        address = reverse("cases-change", args=[change.pk])
        assert client.post(address, {"study": str(study.pk)}).status_code == 400
    assert not StudyCase.objects.filter(study=other).exists()


def test_a_study_locked_since_the_preview_refuses(choose, preview, confirm, user):
    study = StudyFactory(actor=user)
    change = choose("study", [CaseFactory(roles=["t1c"])])
    preview(change, study=str(study.pk))
    type(study).objects.filter(pk=study.pk).update(state="locked")
    assert "not a draft of yours any more" in confirm(change)
    assert change.done_at is None


def test_verifying_is_a_job_and_finds_damage(choose, confirm):
    whole, broken = SeriesFactory(case=CaseFactory(roles=[])), SeriesFactory()
    path = storage.path_of(broken.object_name)
    path.chmod(0o600)
    path.write_bytes(b"something else")
    change = choose("verify", [whole.case, broken.case])
    assert [row["old"] for row in change.rows] == ["never", "never"]
    confirm(change)
    job = Job.objects.get(kind="verify_cases")
    assert change.result["job"] == str(job.pk)
    assert jobs.work_through("default") == 1
    job.refresh_from_db()
    assert (job.state, job.result["whole"]) == (Job.State.DONE, 1)
    assert job.result["damaged"][0].startswith(f"{broken.case.code} t1c: ")
    found = {series.pk: series for series in Series.objects.all()}
    assert found[whole.pk].damage == ""
    assert "no longer has the content" in found[broken.pk].damage
    assert all(series.verified_at for series in found.values())
    assert [r.action for r in AuditRecord.objects.all()] == ["case.damage"]
    assert "1 series damaged" in confirm(change)


def test_a_repaired_object_is_whole_again(choose, confirm):
    series = SeriesFactory()
    Series.objects.update(damage="The stored file is gone.")
    confirm(choose("verify", [series.case]))
    jobs.work_through("default")
    assert Series.objects.get().damage == ""
    assert AuditRecord.objects.last().action == "case.intact"


def test_a_lost_object_is_told_from_a_changed_one(choose, confirm):
    series = SeriesFactory()
    storage.path_of(series.object_name).unlink()
    confirm(choose("verify", [series.case]))
    jobs.work_through("default")
    assert Series.objects.get().damage == "The stored file is gone."


def test_all_that_match_are_chosen_without_ticks(choose):
    for code, stratum in (("1001", "Glioma"), ("1002", "Glioma"), ("2001", "")):
        CaseFactory(code=code, roles=[], stratum=stratum)
    change = choose("tag", all="1", matching="stratum=Glioma&page=2")
    codes = Case.objects.filter(pk__in=change.cases).values_list("code", flat=True)
    assert sorted(codes) == ["1001", "1002"]


def test_cases_of_other_pages_come_in_one_field(choose):
    first, second, third = (CaseFactory(roles=[]) for _ in range(3))
    change = choose("tag", [first], cases=f"{second.pk},{third.pk},{first.pk}")
    assert sorted(change.cases) == sorted(str(case.pk) for case in (first, second, third))


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"action": "tag"}, "Choose at least one case"),
        ({"action": "export"}, "Choose at least one case"),
        ({"action": "delete", "case": [str(uuid.uuid4())]}, "There is no such action"),
        ({"action": "tag", "case": ["x"]}, "could not be read"),
    ],
)
def test_a_wrong_choice_goes_back_to_the_list_with_its_reason(client, user, sent, says):
    matching = {"matching": "q=12&show=flags"}
    response = client.post(reverse("cases-select"), {**sent, **matching})
    assert response.url == reverse("cases") + "?q=12&show=flags"
    assert says in client.get(response.url).content.decode()


def test_the_preparation_is_offered_only_where_a_job_exists(client, user, monkeypatch):
    CaseFactory(roles=[])
    monkeypatch.setattr(jobs, "_handlers", {"verify_cases": jobs._handlers["verify_cases"]})
    assert 'value="prepare"' not in client.get(reverse("cases")).content.decode()
    monkeypatch.setitem(jobs._handlers, "prepare_cases", (lambda _: None, "default"))
    assert 'value="prepare"' in client.get(reverse("cases")).content.decode()


def test_a_preview_belongs_to_whoever_made_it(client, choose):
    change = choose("tag", [CaseFactory(roles=[])])
    client.force_login(CoordinatorFactory())
    assert client.get(reverse("cases-change", args=[change.pk])).status_code == 404
    assert client.post(reverse("cases-change", args=[change.pk])).status_code == 404


def test_previews_that_were_left_are_removed(choose):
    case = CaseFactory(roles=[])
    old = choose("tag", [case])
    long_ago = timezone.now() - timedelta(days=8)
    CaseChange.objects.filter(pk=old.pk).update(created_at=long_ago)
    choose("tag", [case])
    assert not CaseChange.objects.filter(pk=old.pk).exists()


def test_the_export_holds_the_chosen_cases_and_no_formula(client, user):
    case = CaseFactory(code="0412", roles=["t1c"], stratum="=1+1", withdrawn_reason="@SUM(A1)")
    CaseFactory(code="9999", roles=[])
    sent = {"action": "export", "case": [str(case.pk)]}
    response = client.post(reverse("cases-select"), sent)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert [row["case"] for row in rows] == ["0412"]
    assert (rows[0]["stratum"], rows[0]["withdrawn_reason"]) == ("'=1+1", "'@SUM(A1)")
    assert rows[0]["grid"] == "8 × 10 × 6"
    assert rows[0]["checksums"] == f"t1c {case.series.get().sha256}"
    assert rows[0]["source"] == "NIfTI"


@pytest.mark.parametrize("start", "=+-@\t\r\n")
def test_every_start_of_a_formula_is_disarmed(start):
    assert safe_cell(f"{start}x") == f"'{start}x"
    assert safe_cell(f"x{start}") == f"x{start}"


def test_the_export_hides_what_could_tell_the_class(client):
    study = locked_study()
    client.force_login(study.created_by)
    sent = {"action": "export", "all": "1"}
    text = client.post(reverse("cases-select"), sent).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 4
    for column in ("prepared", "source", "imported_utc"):
        assert {row[column] for row in rows} == {"not shown"}
