"""An import of ratings through its pages and on the command line, from the file to the results."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse

from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings import computing
from readerstudy.analysis.ratings.access import imported_dataset
from readerstudy.core.models import AuditRecord, Job
from tests.factories import CoordinatorFactory, ReaderFactory

pytestmark = pytest.mark.django_db
# Two readers, twelve cases. R: psych::cohen.kappa(cbind(A, B)): by hand, observed 9/12, expected
# (6/12 * 7/12) + (6/12 * 5/12) = 1/2, so kappa = (0.75 - 0.5)/(1 - 0.5) = 0.5.
FIRST = "real real real real real real synthetic synthetic synthetic synthetic synthetic synthetic"
SECOND = "real real real real real synthetic synthetic synthetic synthetic synthetic real real"
KAPPA = 0.5


def ratings_csv() -> str:
    rows = ["Reader;Image;Kind;Call;Name of patient"]
    for reader, calls in (("A", FIRST), ("B", SECOND)):
        for number, call in enumerate(calls.split()):
            kind = "real" if number % 2 else "fake"
            rows.append(f"{reader};{number};{kind};{call};Jane Doe")
    return "\ufeff" + "\r\n".join(rows) + "\r\n"


@pytest.fixture
def coordinator():
    return CoordinatorFactory()


@pytest.fixture
def page(client, coordinator):
    client.force_login(coordinator)
    return client


def send_file(page, text: str, **more):
    sent = SimpleUploadedFile("paper ratings.csv", text.encode())
    return page.post(reverse("ratings-new"), {"name": "On paper", "ratings": sent, **more})


def fields_of(form) -> dict[str, str]:
    """Return what a browser would send back of a form as it is shown."""
    found = {}
    for field in form:
        value = field.value()
        if isinstance(value, list) or value not in (None, False):
            found[field.html_name] = value
    return found


def through_the_steps(page, text: str, **plan) -> RatingsImport:
    """Accept every guess up to the check."""
    assert send_file(page, text).status_code == 302
    row = RatingsImport.objects.get()
    columns = page.get(reverse("ratings-columns", args=[row.pk]))
    sent = page.post(columns.request["PATH_INFO"], fields_of(columns.context["form"]))
    assert sent.url == reverse("ratings-questions", args=[row.pk])
    shown = page.get(sent.url)
    formset = shown.context["formset"]
    data = {name: v for form in formset for name, v in fields_of(form).items()}
    data |= fields_of(formset.management_form) | fields_of(shown.context["study"])
    sent = page.post(sent.url, data)
    assert sent.status_code == 302, sent.content.decode()
    shown = page.get(sent.url)
    sent = page.post(sent.url, {**fields_of(shown.context["form"]), **plan})
    assert sent.url == reverse("ratings-check", args=[row.pk]), sent.content.decode()
    row.refresh_from_db()
    return row


def test_from_the_file_to_the_results(page):
    row = through_the_steps(page, ratings_csv(), primary="turing_call")
    check = page.get(reverse("ratings-check", args=[row.pk]))
    assert "Nothing is wrong" in check.content.decode()
    stored = page.post(check.request["PATH_INFO"], {})
    assert stored.url == reverse("ratings-import", args=[row.pk])
    row.refresh_from_db()
    assert (row.state, row.table, row.left_out) == ("stored", None, 0)
    assert "Jane Doe" not in json.dumps([row.facts, row.mapping, row.faults])
    at_work = page.get(stored.url)
    assert "The analysis is at work" in at_work.content.decode()
    assert Job.objects.get(kind="analyse_ratings").arguments == {"ratings": str(row.pk)}
    computing.compute(RatingsImport.objects.get())
    text = page.get(stored.url).content.decode()
    assert "exploratory" in text
    assert "planned, primary" not in text
    document = computing.results_of(RatingsImport.objects.get())
    cells = [
        cell.value
        for _, block in document.blocks()
        if block.kind == "table"
        for line in block.rows
        for cell in line.cells.values()
        if not isinstance(cell, str)
    ]
    assert any(value == pytest.approx(KAPPA, abs=1e-12) for value in cells)
    actions = list(AuditRecord.objects.values_list("action", flat=True))
    steps = ["upload", "columns", "mapping", "mapping", "store", "compute"]
    assert [one for one in actions if one.startswith("ratings.")] == [f"ratings.{s}" for s in steps]


def test_every_file_figure_and_table_of_the_results_can_be_had(page):
    row = through_the_steps(page, ratings_csv())
    page.post(reverse("ratings-check", args=[row.pk]), {})
    computing.compute(RatingsImport.objects.get())
    shown = page.get(reverse("ratings-import", args=[row.pk]))
    for name, _ in shown.context["files"]:
        answer = page.get(reverse("ratings-file", args=[row.pk, name]))
        can = answer.status_code == 200
        assert can or name.startswith("rjafroc"), name
        assert can == (answer.headers.get("Content-Disposition") is not None)
    reads = page.get(reverse("ratings-file", args=[row.pk, "mrmcaov_call.csv"])).content.decode()
    assert len(list(csv.DictReader(io.StringIO(reads)))) == 24
    for section, block in computing.results_of(RatingsImport.objects.get()).blocks():
        name = f"{section.code}.{block.code}" if block.kind != "passage" else ""
        if block.kind == "table":
            answer = page.get(reverse("ratings-table", args=[row.pk, f"{name}.csv"]))
        elif block.kind == "figure":
            answer = page.get(reverse("ratings-figure", args=[row.pk, f"{name}.json"]))
        assert answer.status_code == 200, name
    assert page.get(reverse("ratings-figure", args=[row.pk, "no.such.svg"])).status_code == 404
    assert page.get(reverse("ratings-file", args=[row.pk, "passwords.txt"])).status_code == 404


def test_a_stated_plan_makes_the_results_planned(page):
    stated = {"attested": "on", "on": "2024-05-01", "document": "SAP 1.2, 1 May 2024"}
    without = {"attested": "on"}
    row = through_the_steps(page, ratings_csv(), primary="turing_call", **stated)
    refused = page.post(
        reverse("ratings-plan", args=[row.pk]), {"analyses": ["turing_call"], **without}
    )
    assert refused.status_code == 400
    page.post(reverse("ratings-check", args=[row.pk]), {})
    computing.compute(RatingsImport.objects.get())
    text = page.get(reverse("ratings-import", args=[row.pk])).content.decode()
    assert "planned, primary" in text
    assert "SAP 1.2, 1 May 2024" in text


def test_faults_are_shown_and_only_left_out_when_asked(page):
    text = ratings_csv().replace("B;3;real;real", "B;3;real;maybe")
    assert send_file(page, text).status_code == 302
    row = RatingsImport.objects.get()
    assert page.get(reverse("ratings-check", args=[row.pk])).status_code == 200
    mapping = {**row.mapping, "questions": [{
        "code": "call", "text": "Call", "source": "Call", "kind": "single",
        "levels": ["real", "synthetic"],
        "truth": {"source": "origin", "real": "real", "synthetic": "synthetic"}}],
        "plan": []}  # fmt: skip
    RatingsImport.objects.update(mapping=mapping)
    check = reverse("ratings-check", args=[row.pk])
    shown = page.get(check).content.decode()
    assert "Is not on the scale of “Call”: real, synthetic" in shown
    assert "maybe" in shown
    assert "maybe" not in page.get(f"{check}?show=empty").content.decode()
    refused = page.post(check, {})
    assert refused.status_code == 400
    assert "1 faults stand in the way" in refused.content.decode()
    assert page.post(check, {"leave_out": "on"}).status_code == 302
    row.refresh_from_db()
    assert row.left_out == 1
    assert "maybe" not in json.dumps(row.faults), "what stood in the cell stays with the file"
    assert len(imported_dataset(row).reads) == 23


def test_the_same_ratings_are_not_stored_twice_and_stored_ones_do_not_change(page):
    row = through_the_steps(page, ratings_csv())
    check = reverse("ratings-check", args=[row.pk])
    page.post(check, {})
    mapping = SimpleUploadedFile("mapping.json", json.dumps(row.mapping).encode())
    assert send_file(page, ratings_csv(), mapping=mapping).status_code == 302
    again = RatingsImport.objects.get(state="draft")
    refused = page.post(reverse("ratings-check", args=[again.pk]), {})
    assert refused.status_code == 409
    assert "The same ratings are stored already, as “On paper”" in refused.content.decode()
    for step in ("columns", "questions", "plan", "check"):
        address = reverse(f"ratings-{step}", args=[row.pk])
        assert page.post(address, {}).url == reverse("ratings-import", args=[row.pk])


def test_what_contradicts_itself_is_said_on_the_page_and_nothing_is_kept(page):
    send_file(page, ratings_csv())
    row = RatingsImport.objects.get()
    shown = page.get(reverse("ratings-questions", args=[row.pk]))
    formset = shown.context["formset"]
    data = {name: v for form in formset for name, v in fields_of(form).items()}
    data |= fields_of(formset.management_form)
    key = next(name for name in data if name.endswith("-levels"))
    refused = page.post(shown.request["PATH_INFO"], {**data, key: "real"})
    assert refused.status_code == 400
    assert "needs at least two levels" in refused.content.decode()
    row.refresh_from_db()
    assert len(row.mapping["questions"][0]["levels"]) == 2


def test_a_file_that_is_no_table_is_refused_and_a_bad_mapping_too(page):
    assert "no text file" in send_file(page, "a\0b").content.decode()
    broken = SimpleUploadedFile("mapping.json", b"{")
    assert "This is no JSON file" in send_file(page, ratings_csv(), mapping=broken).content.decode()
    wrong = SimpleUploadedFile("mapping.json", b'{"form": "square"}')
    assert "no form" in send_file(page, ratings_csv(), mapping=wrong).content.decode()
    assert not RatingsImport.objects.exists()


def test_nobody_else_finds_an_import(client, page):
    row = through_the_steps(page, ratings_csv())
    page.post(reverse("ratings-check", args=[row.pk]), {})
    client.force_login(CoordinatorFactory())
    for route in ("import", "columns", "questions", "plan", "check", "delete"):
        assert client.get(reverse(f"ratings-{route}", args=[row.pk])).status_code == 404
    assert client.get(reverse("ratings-file", args=[row.pk, "facts.json"])).status_code == 404
    assert "On paper" not in client.get(reverse("ratings-imports")).content.decode()
    client.force_login(ReaderFactory())
    assert client.get(reverse("ratings-imports")).status_code == 403


def test_deleting_needs_a_reason_and_leaves_a_record(page):
    send_file(page, ratings_csv())
    row = RatingsImport.objects.get()
    address = reverse("ratings-delete", args=[row.pk])
    assert page.post(address, {}).status_code == 400
    assert page.post(address, {"reason": "Wrong file"}).status_code == 302
    assert not RatingsImport.objects.exists()
    assert AuditRecord.objects.get(action="ratings.delete").reason == "Wrong file"


def test_the_command_checks_stores_and_writes(page, coordinator, tmp_path, capsys):
    row = through_the_steps(page, ratings_csv())
    mapping, table = tmp_path / "mapping.json", tmp_path / "ratings.csv"
    mapping.write_text(json.dumps(row.mapping))
    table.write_text(ratings_csv().replace("A;3;real;real", "A;3;real;maybe"), encoding="utf-8")
    common = (str(table), "--mapping", str(mapping), "--user", coordinator.username)
    with pytest.raises(SystemExit) as stopped:
        call_command("import_ratings", *common)
    assert stopped.value.code == 2
    told = capsys.readouterr()
    assert "FAULT  Row 5, column Call: is not on the scale" in told.err
    assert "23 readings, 1 faults, 1 answers left out" in told.out
    out = tmp_path / "out"
    call_command("import_ratings", *common, "--leave-out", "--name", "By hand", "--out", str(out))
    stored = RatingsImport.objects.get(name="By hand")
    assert stored.left_out == 1
    written = {path.name for path in out.iterdir()}
    assert {"results.json", "report.html", "imrmc_call.imrmc", "redcap_records.csv"} <= written
    with pytest.raises(CommandError, match="with --user"):
        call_command("import_ratings", *common[:3], "--leave-out")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_ratings", "none.csv", "--mapping", str(mapping))
