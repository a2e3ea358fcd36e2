"""Each template, from "New study" to the export, by requests alone, with planted answers.

One virtual reader is always right about real and synthetic and the other never; both see the
same in everything else. The export must say just that.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from readerstudy.reading.allocation import verify
from readerstudy.studies.lifecycle import hash_of
from readerstudy.studies.models import Question, Study
from readerstudy.studies.templates.registry import TEMPLATES
from readerstudy.truth.models import ReferenceStandard
from tests.road.steps import Road, certain_reader

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Rows = list[dict[str, str]]
SINGLE = (
    "reads_long.csv",
    "reads_wide.csv",
    "codebook.csv",
    "results.json",
    "protocol.json",
    "deviations.csv",
    "allocation_certificate.json",
)
BEGINNINGS = {"png": b"\x89PNG", "pdf": b"%PDF", "docx": b"PK", "xlsx": b"PK"}


def table(content: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.mark.parametrize("key", TEMPLATES)
def test_a_template_goes_the_whole_road_and_gives_back_what_was_planted(key, live_server, tmp_path):
    road = Road.begin(live_server.url, TEMPLATES[key])
    road.choose_cases()
    readers = {
        code: road.invite(f"Dr {code}", f"{code.lower()}@example.org") for code in ("R1", "R2")
    }
    road.open_reading()
    virtual = {"R1": certain_reader("R1", 5.0), "R2": certain_reader("R2", -5.0)}
    ledgers = road.read(readers, virtual)
    files = road.finish()

    assert road.study.state == Study.State.UNBLINDED
    every_file_opens(road, files)
    rows = table(files["reads_long.csv"])
    the_export_holds_what_was_acknowledged(rows, ledgers)
    for question in road.study.questions.prefetch_related("options"):
        found = [row for row in rows if row["question"] == question.code]
        assert found, question.code
        PLANTED.get(question.truth.get("source", ""), readers_agree)(question, found)
    the_results_say_the_same(files, rows)
    every_planned_endpoint_was_carried_out(files)
    if TEMPLATES[key].design.schedule == "crossover":
        opened = [r for r in table(files["deviations.csv"]) if "haste" in r["reason"]]
        assert sorted(row["reader"] for row in opened) == ["R1", "R2"]
    r_finds_the_main_numbers_again(files, tmp_path)


def every_file_opens(road: Road, files: dict[str, bytes]) -> None:
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].decode().splitlines())
    for name in SINGLE:
        assert road.coordinator.get(road.at(f"export/{name}")).content == files[name], name
    for name, content in files.items():
        if name == "SHA256SUMS":
            continue
        assert sums.pop(name) == hashlib.sha256(content).hexdigest()
        if name.endswith(".csv"):
            assert not content or csv.DictReader(io.StringIO(content.decode())).fieldnames, name
        elif name.endswith(("json", "ipynb")):
            json.loads(content)
        elif name.endswith(".svg"):
            assert ElementTree.fromstring(content).tag.endswith("svg"), name
        else:
            assert content.startswith(BEGINNINGS.get(name.rpartition(".")[2], b"")), name
            assert content, name
    assert sums == {}
    protocol, results = json.loads(files["protocol.json"]), json.loads(files["results.json"])
    assert hash_of(protocol) == results["protocol_hash"] == road.study.protocol_hash
    assert results["data_sha256"] == hashlib.sha256(files["reads_long.csv"]).hexdigest()
    assert verify(json.loads(files["allocation_certificate.json"])) == []
    explained = {row["name"] for row in table(files["codebook.csv"]) if row["kind"] == "column"}
    assert set(table(files["reads_long.csv"])[0]) == explained


def the_export_holds_what_was_acknowledged(rows: Rows, ledgers) -> None:
    sent = {
        (ledger.reader, str(entry.period), str(entry.position), code)
        for ledger in ledgers
        for entry in ledger.entries.values()
        for code in entry.answers
    }
    stored = [(row["reader"], row["period"], row["position"], row["question"]) for row in rows]
    assert len(stored) == len(set(stored))
    assert set(stored) == sent
    assert all(ledger.stopped == "" for ledger in ledgers)


def right_or_never(question: Question, rows: Rows) -> None:
    """The one reader is right about every image, the other about none."""
    for row in rows:
        if question.kind == Question.Kind.PLACE:
            asked = question.truth["place"]
            right = "0" if row["origin"] == asked else "1"
        else:
            right = question.truth[row["origin"]]
        assert (row["value"] == right) == (row["reader"] == "R1"), row


def reference_is_found(question: Question, rows: Rows) -> None:
    """The levels given to the two classes of the reference standard do not overlap."""
    codes = [option.code for option in question.options.all()]
    stated = ReferenceStandard.objects.current().filter(endpoint=question.truth["endpoint"])
    right = {
        one.case.code: question.truth["values"][one.value] for one in stated.select_related("case")
    }
    levels = defaultdict(set)
    for row in rows:
        levels[right[row["case"]]].add(codes.index(row["value"]))
    assert len(levels) > 1, "both classes were read"
    for code, given in levels.items():
        nearest = {max(given), min(given)}
        others = set().union(*(levels[one] for one in levels if one != code))
        wanted = codes.index(code)
        assert max(abs(wanted - level) for level in nearest) < min(
            abs(wanted - level) for level in others
        )


def readers_agree(question: Question, rows: Rows) -> None:
    """Both readers said the same of each item that both were asked about."""
    if question.kind not in (Question.Kind.SINGLE, Question.Kind.ORDINAL, Question.Kind.NUMBER):
        return
    said = defaultdict(set)
    for row in rows:
        said[row["item"], row["arm"]].add(row["value"])
    assert {len(values) for values in said.values()} == {1}


PLANTED = {"origin": right_or_never, "reference": reference_is_found}


def the_results_say_the_same(files: dict[str, bytes], rows: Rows) -> None:
    results = json.loads(files["results.json"])["results"]
    for answers in results["answers"]:
        counted = sum(
            sum(row["counts"]) if answers["levels"] else row["n"] for row in answers["rows"]
        )
        if answers["kind"] not in ("multi", "ranking"):
            stored = [
                row
                for row in rows
                if row["question"] == answers["question"] and row["repeat"] == "0"
            ]
            assert counted in (0, len(stored)), answers["question"]
    turing = [one for one in results["sections"] if one["code"] == "turing_accuracy"]
    for block in (
        block for one in turing for block in one["blocks"] if block.get("code") == "readers"
    ):
        accuracy = [row["cells"]["correct"]["value"] for row in block["rows"]]
        assert accuracy == [1.0, 0.0, 0.5]


def every_planned_endpoint_was_carried_out(files: dict[str, bytes]) -> None:
    """No section of the plan says that it was not computed."""
    sections = json.loads(files["results.json"])["results"]["sections"]
    for section in sections:
        assert not any("not computed, because" in text for text in section["lead"]), section["lead"]
    done = {section["code"] for section in sections}
    assert {row["code"] for row in table(files["plan.csv"])} <= done


def r_finds_the_main_numbers_again(files: dict[str, bytes], folder: Path) -> None:
    """R computes a main number of every planned endpoint from the exported files alone."""
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed, so its numbers were not compared; the rest held")
    for name, content in files.items():
        if name.endswith(".csv") or name == "analysis.R":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    done = subprocess.run(
        ["Rscript", "--vanilla", "analysis.R"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "compared; 0 have no number" in said, said
    redone = table((folder / "redone_by_R.csv").read_bytes())
    differing = [row for row in redone if float(row["difference"] or "inf") > 1e-8]
    assert differing == [], said
    for entry in table(files["plan.csv"]):
        main = MAIN_NUMBERS[entry["endpoint"]]
        prefix = entry["code"].replace("_", "-")
        found = {
            (row["table"].removeprefix(f"{prefix}-"), row["column"])
            for row in redone
            if row["table"].startswith(f"{prefix}-")
        }
        known = {
            (row["table"].removeprefix(f"{prefix}-"), row["column"])
            for row in table(files["tables/numbers.csv"])
            if row["table"].startswith(f"{prefix}-") and row["value"]
        }
        if any(fits(one, main) for one in known):
            assert any(fits(one, main) for one in found), (entry["code"], said)


def fits(number: tuple[str, str], wanted: tuple[str, str]) -> bool:
    return number[0].startswith(wanted[0]) and number[1] == wanted[1]


MAIN_NUMBERS = {
    "turing": ("overall", "correct"),
    "agreement": ("all-readers", "value"),
    "reference": ("comparison", "difference"),
    "mrmc-difference": ("areas", "difference"),
    "score": ("means", "mean"),
    "comparison": ("tests", "p"),
}
