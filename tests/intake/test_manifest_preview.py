"""An upload with a manifest shows what it would change; nothing changes before Apply."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.urls import reverse

from readerstudy.cases.models import Case, Series
from readerstudy.core import jobs
from readerstudy.core.models import AuditRecord, Job
from readerstudy.intake import folders, manifest_proposing, opening, receiving
from readerstudy.intake.manifest_template import template
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options
from readerstudy.truth.models import ReferenceStandard
from tests.cases.folders import image
from tests.factories import CoordinatorFactory, ReaderFactory, StudyFactory

pytestmark = pytest.mark.django_db
HEADER = ("path", "case", "sequence", "stratum", "ref:grade")
ROW = ("Planted-Name/t1.nii.gz", "Planted-Name", "t1", "Grade IV", "4")


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.INTAKE_FREE_BYTES = 0


@pytest.fixture
def coordinator(client):
    user = CoordinatorFactory()
    client.force_login(user)
    return user


@pytest.fixture
def picture(tmp_path) -> bytes:
    return image(tmp_path / "source", "t1.nii.gz", seed=1).read_bytes()


def table(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue().encode()


def send(batch: Import, name: str, content: bytes) -> None:
    file = {"path": name, "size": len(content), "modified": 1}
    (answer,) = receiving.announce(batch=batch, files=[file])
    row = batch.files.get(token=answer["token"])
    row.batch = batch
    receiving.receive(file=row, offset=0, content=content)


@pytest.fixture
def upload(coordinator, picture):
    def make(*rows: tuple[str, ...], name: str = "manifest.csv") -> Import:
        batch = opening.open_upload(actor=coordinator)
        send(batch, "Planted-Name/t1.nii.gz", picture)
        send(batch, name, table(*rows))
        return batch

    return make


def compare(client, batch: Import) -> str:
    client.post(reverse("import-compare", args=[batch.pk]))
    jobs.work_through("default")
    return page(client, batch)


def page(client, batch: Import, **query: str) -> str:
    answer = client.get(reverse("import-preview", args=[batch.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def apply(client, batch: Import, reason: str = ""):
    answer = client.post(reverse("import-preview", args=[batch.pk]), {"reason": reason})
    jobs.work_through("default")
    return answer


def test_the_preview_lists_the_changes_and_changes_nothing(client, upload):
    batch = upload(ROW)
    assert "Not compared yet" in page(client, batch)
    shown = compare(client, batch)
    for said in ("New case 1", "Grade IV", "ref:grade", "Planted-Name/t1.nii.gz", "Apply"):
        assert said in shown
    assert not Case.objects.exists()
    batch.refresh_from_db()
    assert batch.state == Import.State.COLLECTING
    assert "Planted" not in repr(list(Job.objects.values())) + repr(
        list(AuditRecord.objects.values())
    )


def test_apply_imports_with_labels_and_reference(client, upload):
    batch = upload(ROW)
    compare(client, batch)
    answer = apply(client, batch)
    assert answer.status_code == 302
    batch.refresh_from_db()
    assert (batch.state, batch.counts) == ("finished", {"ok": 1})
    assert (Case.objects.get().stratum, Series.objects.get().role) == ("Grade IV", "t1")
    assert ReferenceStandard.objects.get().value == "4"
    assert not folders.place_of(batch).files.exists()
    assert "This import was started" in page(client, batch)


def test_a_correction_asks_for_its_reason(client, upload):
    first = upload(ROW)
    compare(client, first)
    apply(client, first)
    second = upload((*ROW[:4], "3"))
    shown = compare(client, second)
    assert "State why" in shown
    assert "Correction 1" in shown
    answer = apply(client, second)
    assert answer.status_code == 400
    assert "State the reason" in answer.content.decode()
    assert ReferenceStandard.objects.count() == 1
    apply(client, second, reason="Central pathology")
    row = ReferenceStandard.objects.current().get()
    assert (row.value, row.reason) == ("3", "Central pathology")


def test_all_problems_of_a_manifest_stand_on_the_page(client, upload):
    batch = upload(("../x.nii", "", "t1", "", ""), ("b.nii", "B", "no role at all", "", ""))
    shown = compare(client, batch)
    assert "The manifest has 3 problems" in shown
    assert "“no role at all”" in shown
    assert '<button class="button button--primary">Apply' not in shown
    answer = apply(client, batch)
    assert answer.status_code == 409
    assert "Planted" not in repr(list(Job.objects.values()))


def test_a_comparison_holds_only_for_the_files_it_saw(client, upload, picture):
    batch = upload(ROW)
    compare(client, batch)
    send(batch, "Planted-Name/t2.nii.gz", picture)
    assert "Not compared yet" in page(client, batch)
    assert apply(client, batch).status_code == 409
    assert "No row names" in compare(client, batch).replace("no row names", "No row names")


def test_one_kind_of_change_can_be_shown(client, upload):
    batch = upload(ROW)
    compare(client, batch)
    assert "The reference standard is recorded" not in page(client, batch, show="new case")
    assert "The reference standard is recorded" in page(client, batch, show="new reference")


def test_a_manifest_is_noticed_at_the_top_alone(coordinator, picture):
    batch = opening.open_upload(actor=coordinator)
    send(batch, "folder/manifest.csv", table(ROW))
    assert not manifest_proposing.has_manifest(batch)
    send(batch, "Manifest.XLSX", b"x")
    assert manifest_proposing.has_manifest(batch)


def test_only_whoever_sends_an_upload_may_compare_it(client, upload):
    batch = upload(ROW)
    for user, status in ((CoordinatorFactory(), 404), (ReaderFactory(), 403)):
        client.force_login(user)
        assert client.get(reverse("import-preview", args=[batch.pk])).status_code == status
        assert client.post(reverse("import-compare", args=[batch.pk])).status_code == status
    assert not Job.objects.exists()


def test_an_unfinished_upload_is_not_compared(client, upload):
    batch = upload(ROW)
    receiving.announce(batch=batch, files=[{"path": "more.nii", "size": 9, "modified": 1}])
    client.post(reverse("import-compare", args=[batch.pk]))
    assert not Job.objects.exists()
    assert "have not come whole" in page(client, batch)


def test_options_stated_before_hold_for_the_import(client, upload, coordinator):
    batch = upload(ROW)
    options = Options(label="Hospital B")
    manifest_proposing.propose(batch=batch, options=options, actor=coordinator)
    jobs.work_through("default")
    apply(client, batch)
    batch.refresh_from_db()
    assert batch.options["label"] == "Hospital B"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_template_of_an_own_study_can_be_downloaded(client, coordinator, form, tmp_path):
    study = StudyFactory(actor=coordinator)
    address = reverse("manifest-template", args=[form])
    answer = client.get(address, {"study": study.pk})
    assert f'filename="manifest.{form}"' in answer["Content-Disposition"]
    path = Path(tmp_path / f"m.{form}")
    path.write_bytes(answer.content)
    assert answer.content[:2] == template(form, study)[:2]
    assert client.get(address, {"study": StudyFactory().pk}).status_code == 404
    assert client.get(reverse("manifest-template", args=["exe"])).status_code == 404
