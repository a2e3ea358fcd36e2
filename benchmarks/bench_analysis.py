"""The analysis of a large study, from rows to the results page, against reading the same rows.

    python benchmarks/bench_analysis.py [--readers 20] [--cases 2000] [--draws 2000]

Two arms, every reader reads every case in both. The peer is the database driver handing over the
same ratings without a framework; times are seconds on this machine, ratios hold elsewhere too.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
AT = datetime(2026, 1, 1, tzinfo=UTC)
QUESTION, SURE = "grade", "grade_confidence"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["READERSTUDY_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings.dev")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        study, coordinator = build(options.readers, options.cases, options.draws)
        report(study, coordinator)


def build(readers: int, cases: int, draws: int) -> tuple[Any, Any]:
    """Write an unblinded study straight into the tables."""
    from readerstudy.cases.models import Case, Subject
    from readerstudy.readers.models import User
    from readerstudy.studies import analysis_plan, design
    from readerstudy.studies.models import Enrolment, Option, Question, Study, StudyCase
    from readerstudy.truth.models import Origin, ReferenceStandard

    coordinator = User.objects.create(username="coordinator", may_coordinate=True)
    study = design.create_study(
        template="wang2023-added-value", name="Large", reader_title="Large", actor=coordinator
    )
    others = Question.objects.filter(study=study).exclude(code__in=(QUESTION, SURE))
    Option.objects.filter(question__in=others).delete()
    others.delete()
    plan = [
        {**entry, "draws": draws} for entry in study.analysis_plan if entry["question"] == QUESTION
    ]
    people = [User.objects.create(username=f"r{n}", email=f"r{n}@x.org") for n in range(readers)]
    subjects = Subject.objects.bulk_create(
        Subject(code=f"S{n:05d}", source_key=f"{n:064d}") for n in range(cases)
    )
    rows = Case.objects.bulk_create(
        Case(code=f"C{n:05d}", subject=one) for n, one in enumerate(subjects)
    )
    StudyCase.objects.bulk_create(StudyCase(study=study, case=c, item=c.code) for c in rows)
    Origin.objects.bulk_create(Origin(case=c, kind="real") for c in rows)
    high = [n % 2 == 0 for n in range(cases)]
    ReferenceStandard.objects.bulk_create(
        ReferenceStandard(case=c, endpoint="who_grade", value="4" if h else "2")
        for c, h in zip(rows, high, strict=True)
    )
    enrolled = [
        Enrolment.objects.create(study=study, reader=p, code=f"R{n + 1}")
        for n, p in enumerate(people)
    ]
    read_all(study, enrolled, rows, high)
    Study.objects.filter(pk=study.pk).update(
        state="unblinded",
        analysis_plan=analysis_plan.document_of(analysis_plan.parse(plan)),
        protocol={},
        locked_at=AT,
        running_at=AT,
        closed_at=AT,
        unblinded_at=AT,
    )
    study.refresh_from_db()
    return study, coordinator


def read_all(study: Any, enrolled: list[Any], cases: list[Any], high: list[bool]) -> None:
    """Every reader reads every case in both arms; the map adds half a standard deviation."""
    from readerstudy.reading.models import Rating, Reading, Submission

    rng = np.random.default_rng(2023)
    shift = np.where(high, 0.5, -0.5)
    difficulty = rng.normal(0, 0.7, len(cases))
    asked = {one.code: one for one in study.questions.prefetch_related("options")}
    options = {code: list(one.options.all()) for code, one in asked.items()}
    clock = {"look_ms": 20_000, "load_ms": 300, "rule": "reading-times/3"}
    for enrolment in enrolled:
        for period, arm in enumerate(("standard", "standard_cbv"), start=1):
            signal = shift * (1 + 0.5 * (period - 1)) + difficulty + rng.normal(0, 0.7, len(cases))
            readings = Reading.objects.bulk_create(
                Reading(
                    enrolment=enrolment, case=case, item=case.code, arm=arm, period=period,
                    position=n + 1, offered_at=AT, completed_at=AT,
                )
                for n, case in enumerate(cases)
            )  # fmt: skip
            sent = Submission.objects.bulk_create(
                Submission(
                    reading=one, key=uuid.uuid4(), body_hash="", body={"clock": clock},
                    received_at=AT, outcome="accepted",
                )
                for one in readings
            )  # fmt: skip
            steps = np.digitize(np.abs(signal), [0.3, 0.6, 0.9, 1.2])
            given = [
                (QUESTION, options[QUESTION][int(value > 0)], submission)
                for value, submission in zip(signal, sent, strict=True)
            ] + [
                (SURE, options[SURE][int(step)], submission)
                for step, submission in zip(steps, sent, strict=True)
            ]
            Rating.objects.bulk_create(
                Rating(submission=submission, question=asked[code], choice=choice)
                for code, choice, submission in given
            )


def report(study: Any, coordinator: Any) -> None:
    """Time each step and print the table."""
    from django.db import connection
    from django.test import Client

    from readerstudy.analysis import datasets, running
    from readerstudy.analysis.carrying_out import entries_of

    floor, _ = timed(lambda: bare(str(connection.settings_dict["NAME"])))
    loading, data = timed(lambda: datasets.load(study, actor=coordinator))
    last = [time.perf_counter(), ""]

    def tell(_step: int, _of: int, title: str) -> None:
        now = time.perf_counter()
        if last[1]:
            print(f"  {now - last[0]:6.1f} s  {last[1]}", flush=True)
        last[:] = [now, title or "finishing"]

    print("Computing:", flush=True)
    computing, _ = timed(lambda: running.compute(data, entries_of(study.analyses), tell=tell))
    whole, _ = timed(lambda: running.here(study, actor=coordinator))
    client = Client()
    client.force_login(coordinator)
    address = f"/staff/studies/{study.pk}/results/"
    page, answer = timed(lambda: client.get(address, headers={"host": "127.0.0.1"}))
    assert answer.status_code == 200, answer.status_code
    print(f"\n| step | s | x reading the rows |\n|---|---:|---:|\n| bare rows | {floor:.2f} | 1 |")
    for name, seconds in (
        ("data set", loading),
        ("all endpoints", computing),
        ("whole job", whole),
        (f"results page, {len(answer.content) // 1000} kB", page),
    ):
        print(f"| {name} | {seconds:.2f} | {seconds / floor:.1f} |")


def bare(path: str) -> int:
    """Hand over every rating with its reading, without a framework."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT r.arm, r.item, r.enrolment_id, o.code FROM reading_rating a"
        " JOIN reading_submission s ON s.id = a.submission_id"
        " JOIN reading_reading r ON r.id = s.reading_id"
        " JOIN studies_option o ON o.id = a.choice_id"
    ).fetchall()
    connection.close()
    return len(rows)


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
