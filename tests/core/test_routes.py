"""Who gets what answer at which address. A new address fails here until it is classified."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from readerstudy.cases import native_images
from readerstudy.cases.models import Case, Preparation
from readerstudy.imaging import native
from readerstudy.intake import opening
from readerstudy.reading import progress
from readerstudy.reading.models import Reading
from readerstudy.studies.models import Enrolment
from tests.factories import (
    CoordinatorFactory,
    ReaderFactory,
    make_display_check,
    make_job,
    make_ratings,
    real_case,
    running_study,
)

pytestmark = pytest.mark.django_db

SIGN_IN = "to the sign-in page"
# Anonymous, a reader of no study here, a coordinator of no study here, the study's coordinator.
COORDINATORS = (SIGN_IN, 403, 200, 200)
OWN_STUDY = (SIGN_IN, 404, 404, 200)
OWN_STUDY_MOVED = (SIGN_IN, 404, 404, 302)
READERS_API = (401, 404, 404, 404)
EVERYBODY = (200, 200, 200, 200)

ROUTES: dict[str, tuple[Any, ...]] = {
    "sign-in": EVERYBODY,
    "sign-out": (SIGN_IN, 405, 405, 405),
    "invitation": (404, 404, 404, 404),
    "display-check": (SIGN_IN, 200, 200, 200),
    "display-check-card": (SIGN_IN, 200, 200, 200),
    "display-check-answer": (SIGN_IN, 405, 405, 405),
    "display-check-again": (SIGN_IN, 405, 405, 405),
    "display-check-skip": (SIGN_IN, 405, 405, 405),
    "display-check-patch": (SIGN_IN, 404, 404, 404),  # without a check under way
    "display-check-result": (SIGN_IN, 404, 404, 404),  # somebody else's
    "accounts": (SIGN_IN, 403, 403, 403),
    "profile": (SIGN_IN, 200, 200, 200),
    "home": (SIGN_IN, 200, 302, 302),
    "reader-home": (SIGN_IN, 200, 200, 200),
    "read": (SIGN_IN, 404, 404, 404),
    "read-changes": (SIGN_IN, 404, 404, 404),
    "read-calendar": (SIGN_IN, 404, 404, 404),
    "api-state": READERS_API,
    "api-pause": READERS_API,
    "api-resume": READERS_API,
    "api-answers": READERS_API,
    "api-undo": READERS_API,
    "api-draft": READERS_API,
    "api-preferences": (401, 204, 403, 403),
    "api-session": (400, 400, 400, 400),  # to sign in again; these are wrong names
    "image": READERS_API,
    "studies": COORDINATORS,
    "study-new": COORDINATORS,
    "study": OWN_STUDY,
    "study-describe": OWN_STUDY,
    "study-display": OWN_STUDY,
    "study-readers": OWN_STUDY,
    "study-reader-link": (SIGN_IN, 404, 404, 405),
    "study-members": OWN_STUDY,
    "study-member-change": (SIGN_IN, 404, 404, 405),
    "study-cases": OWN_STUDY,
    "study-questions": OWN_STUDY,
    "study-questions-full": OWN_STUDY,
    "study-question": OWN_STUDY,
    "study-question-add": (SIGN_IN, 404, 404, 405),
    "study-question-act": (SIGN_IN, 404, 404, 405),
    "study-example": (SIGN_IN, 404, 404, 405),
    "study-design": OWN_STUDY,
    "study-programme": OWN_STUDY,
    "study-arm": (SIGN_IN, 404, 404, 405),
    "example-image": (SIGN_IN, 404, 404, 404),  # of no level here
    "study-lock": OWN_STUDY_MOVED,
    "study-launch": OWN_STUDY,
    "study-close": OWN_STUDY,
    "study-unblind": OWN_STUDY,
    "study-versions": OWN_STUDY,
    "study-letters": OWN_STUDY,
    "study-remind": (SIGN_IN, 404, 404, 405),
    "study-withdraw-reader": OWN_STUDY,
    "study-replace-reader": OWN_STUDY,
    "study-audit": OWN_STUDY,
    "study-audit-file": OWN_STUDY,
    "study-announce": (SIGN_IN, 404, 404, 405),
    "study-analysis": OWN_STUDY,
    "study-clone": OWN_STUDY,
    "study-archive": OWN_STUDY,
    "study-deviations": OWN_STUDY,
    "study-amend": OWN_STUDY,
    "study-withdraw": OWN_STUDY,
    "study-add-reader": OWN_STUDY,
    "study-preview": OWN_STUDY,
    "study-open-early": (SIGN_IN, 404, 404, 405),
    "study-attempt": (SIGN_IN, 404, 404, 405),
    "study-unblind-case": OWN_STUDY,
    "study-sentinel": OWN_STUDY,
    "study-sentinel-run": OWN_STUDY_MOVED,
    "study-sentinel-limits": OWN_STUDY,
    "study-results": (SIGN_IN, 404, 404, 403),
    "study-figure": (SIGN_IN, 404, 404, 403),
    "study-table": (SIGN_IN, 404, 404, 403),
    "study-image-scores": (SIGN_IN, 404, 404, 403),
    "study-image-scores-figure": (SIGN_IN, 404, 404, 403),
    "study-image-scores-table": (SIGN_IN, 404, 404, 403),
    "study-explore": (SIGN_IN, 404, 404, 403),
    "study-analysis-cancel": (SIGN_IN, 404, 404, 403),
    "study-export": (SIGN_IN, 404, 404, 403),
    "study-others": (SIGN_IN, 404, 404, 403),
    "study-bids": (SIGN_IN, 404, 404, 403),
    "study-ratings-api": (401, 404, 404, 403),
    "api-schema": (401, 200, 200, 200),  # describes addresses, no data
    "study-reads": (SIGN_IN, 404, 404, 403),
    "study-read-picture": (SIGN_IN, 404, 404, 403),
    "study-debriefs": OWN_STUDY,
    "debrief": (SIGN_IN, 404, 404, 404),
    "debrief-picture": (SIGN_IN, 404, 404, 404),
    "study-certificate": OWN_STUDY,
    "study-adjudication": OWN_STUDY,
    "study-adjudication-conclude": OWN_STUDY_MOVED,
    "study-adjudication-adopt": (SIGN_IN, 404, 404, 405),
    "study-consensus": (SIGN_IN, 404, 404, 403),
    "adjudicate": (SIGN_IN, 200, 200, 200),
    "adjudicate-next": (SIGN_IN, 404, 404, 404),
    "adjudicate-case": (SIGN_IN, 404, 404, 404),
    "study-sample-size": OWN_STUDY,
    "study-size-curve": OWN_STUDY,
    "study-dry-run": OWN_STUDY,
    "study-dry-run-discard": (SIGN_IN, 404, 404, 405),
    "study-dry-run-export": (SIGN_IN, 404, 404, 404),  # no dry run yet
    "cases": COORDINATORS,
    "case": COORDINATORS,
    "cases-columns": (SIGN_IN, 403, 405, 405),
    "cases-select": (SIGN_IN, 403, 405, 405),
    "case-preparation": (SIGN_IN, 403, 302, 302),  # to the list where none waits
    "preparations": COORDINATORS,
    "preparation": COORDINATORS,
    "preparation-accept": (SIGN_IN, 403, 405, 405),
    "preparation-reject": (SIGN_IN, 403, 405, 405),
    "preparation-picture": (SIGN_IN, 403, 404, 404),  # of a case that a running study shows
    "cases-change": (SIGN_IN, 403, 404, 404),  # only for whoever prepared it
    "series-thumbnail": COORDINATORS,
    "imports": COORDINATORS,
    "import-new": COORDINATORS,
    "import": (SIGN_IN, 403, 200, 302),  # an upload that waits for files: to its own page
    "import-start": (SIGN_IN, 403, 404, 200),
    "import-end": (SIGN_IN, 403, 404, 405),
    "import-table": COORDINATORS,
    "api-imports": (401, 405, 405, 405),
    "api-import": (401, 403, 404, 200),
    "api-import-files": (401, 405, 405, 405),
    "api-import-file": (401, 403, 404, 404),
    "import-preview": (SIGN_IN, 403, 404, 200),
    "import-compare": (SIGN_IN, 403, 405, 405),
    "manifest-template": COORDINATORS,
    "dicomweb": COORDINATORS,
    "dicomweb-series": (SIGN_IN, 403, 405, 405),
    "ratings-imports": COORDINATORS,
    "ratings-new": COORDINATORS,
    "ratings-import": (SIGN_IN, 403, 404, 302),  # a draft: to its next step
    **dict.fromkeys(
        ("ratings-columns", "ratings-questions", "ratings-check", "ratings-delete"),
        (SIGN_IN, 403, 404, 200),
    ),
    "ratings-plan": (SIGN_IN, 403, 404, 200),
    "ratings-figure": (SIGN_IN, 403, 404, 409),  # nothing is computed yet
    "ratings-table": (SIGN_IN, 403, 404, 409),
    "ratings-file": (SIGN_IN, 403, 404, 200),  # the mapping of a draft
    "case-truth": (SIGN_IN, 403, 200, 200),  # of a case in no blinded study
    "case-viewer": COORDINATORS,
    "case-compare": COORDINATORS,  # of two cases in no blinded study
    "native-image": COORDINATORS,
    "generators": COORDINATORS,
    "train": COORDINATORS,
    "train-preset": COORDINATORS,
    "training": (SIGN_IN, 403, 404, 404),
    "training-samples": (SIGN_IN, 403, 404, 404),
    "training-curve": (SIGN_IN, 403, 404, 404),
    "training-stop": (SIGN_IN, 405, 405, 405),
    "training-resume": (SIGN_IN, 405, 405, 405),
    "training-files": (SIGN_IN, 405, 405, 405),
    "training-release": (SIGN_IN, 405, 405, 405),
    "checkpoint-files": (SIGN_IN, 405, 405, 405),
    "run-scores-csv": (SIGN_IN, 403, 404, 404),
    "courses-csv": COORDINATORS,
    "checkpoint": (SIGN_IN, 403, 404, 404),
    "checkpoint-samples": (SIGN_IN, 403, 404, 404),
    "generate": (SIGN_IN, 403, 404, 404),
    **dict.fromkeys(("draw", "cut-slices", "film", "film-file"), (SIGN_IN, 403, 404, 404)),
    "generation-run": (SIGN_IN, 403, 404, 404),
    "run-scores": (SIGN_IN, 403, 404, 404),
    "run-agreement": (SIGN_IN, 403, 404, 404),
    **dict.fromkeys(
        ("run-segmentations", "run-overlaps-csv", "run-progression-csv"), (SIGN_IN, 403, 404, 404)
    ),
    "upload-label-maps": (SIGN_IN, 405, 405, 405),
    "run-copies": (SIGN_IN, 403, 404, 404),
    "run-copy": (SIGN_IN, 403, 404, 404),
    "generator-scores": COORDINATORS,
    "generator-scores-csv": COORDINATORS,
    "generator-scores-figure": (SIGN_IN, 403, 404, 404),  # nothing is scored here
    "generated-image": (SIGN_IN, 405, 405, 405),
    "fairness": (SIGN_IN, 405, 405, 405),
    "readers": COORDINATORS,
    "audit": COORDINATORS,
    "job": COORDINATORS,
    "job-retry": (SIGN_IN, 405, 405, 405),
}
JSON = {"content_type": "application/json"}
SENT: dict[str, tuple[str, dict[str, Any]]] = {
    "api-pause": ("post", {}),
    "api-resume": ("post", {}),
    "api-answers": ("post", {"key": str(uuid.uuid4()), "answers": {}}),
    "api-undo": ("post", {}),
    "api-draft": ("put", {"answers": {}}),
    "api-preferences": ("put", {"keys": {}, "mouse": {}}),
    "api-session": ("post", {"username": "a", "password": "b", "enrolment": "c"}),
}
PEOPLE = ("anonymous", "reader", "stranger", "coordinator")


def named_routes() -> list[str]:
    """Return the name of every address of the project."""

    def walk(patterns: list[Any]) -> list[str]:
        names = []
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                names += walk(pattern.url_patterns)
            else:
                assert isinstance(pattern, URLPattern)
                assert pattern.name, f"{pattern.pattern} has no name"
                names.append(pattern.name)
        return names

    return walk(get_resolver().url_patterns)


@pytest.fixture
def study():
    return running_study()


def native_address(case: Case) -> tuple[str, int]:
    """Return what leads to the first slices of a case as it was acquired."""
    series = case.series.get()
    rule = native.own_rule(native_images.facts_of(series))
    return native_images.Request(series.pk, series.pk, rule).token(), 0


@pytest.fixture
def arguments(study) -> dict[str, tuple[Any, ...]]:
    enrolment = Enrolment.objects.filter(study=study).first()
    progress.state_of(enrolment)  # offers the first readings, as the reader's own page does
    reading = Reading.objects.filter(enrolment=enrolment, offered_at__isnull=False).first()
    case = study.cases.first()
    waiting = Preparation.objects.create(case=case, chain=[], state=Preparation.State.REJECTED)
    one_study = {
        name: (study.pk,)
        for name in ROUTES
        if name.startswith("study") and name not in ("studies", "study-new")
    }
    return {
        **one_study,
        "study-export": (study.pk, "everything.zip"),
        "study-read-picture": (study.pk, case.series.first().pk),
        "debrief": (enrolment.token,),
        "debrief-picture": (enrolment.token, reading.token, 0),
        "study-figure": (study.pk, "turing_accuracy.curves.svg"),
        "study-table": (study.pk, "turing_accuracy.readers.csv"),
        "study-image-scores-figure": (study.pk, "image_scores_cases.scatter_1.svg"),
        "study-image-scores-table": (study.pk, "image_scores_cases.correlations.csv"),
        "study-reader-link": (study.pk, "R1"),
        "adjudicate-next": (enrolment.token,),
        "adjudicate-case": (enrolment.token, reading.token),
        **dict.fromkeys(("study-question", "study-question-act"), (study.pk, "origin")),
        "study-example": (study.pk, "origin", "real"),
        "study-analysis": (study.pk, study.analyses[0].code),
        "example-image": ("no-such-token",),
        **dict.fromkeys(("study-dry-run-discard", "study-dry-run-export"), (study.pk, 1)),
        "invitation": ("no-such-token",),
        "read": (enrolment.token,),
        "read-changes": (enrolment.token,),
        "read-calendar": (enrolment.token,),
        **dict.fromkeys(("study-open-early", "study-attempt", "study-remind"), (study.pk, "R1")),
        **dict.fromkeys(("study-withdraw-reader", "study-replace-reader"), (study.pk, "R1")),
        **dict.fromkeys(("api-state", "api-pause", "api-resume"), (enrolment.token,)),
        **dict.fromkeys(("api-answers", "api-undo", "api-draft"), (enrolment.token, reading.token)),
        "image": (reading.images.first().token, 0),
        "display-check-patch": (0,),
        "display-check-result": (make_display_check().pk,),
        "case": (case.pk,),
        "cases-change": (uuid.uuid4(),),
        "case-preparation": (case.pk,),
        **dict.fromkeys(("preparation", "preparation-accept", "preparation-reject"), (waiting.pk,)),
        "preparation-picture": (waiting.pk, "t1", "after"),
        **dict.fromkeys(
            (name for name in ROUTES if name.startswith(("import", "api-import"))),
            (opening.open_upload(actor=study.created_by).pk,),
        ),
        **dict.fromkeys(("imports", "import-new", "api-imports"), ()),
        **dict.fromkeys(
            (name for name in ROUTES if name.startswith("ratings-")),
            (ratings := make_ratings(study.created_by).pk,),
        ),
        **dict.fromkeys(("ratings-imports", "ratings-new"), ()),
        "ratings-figure": (ratings, "turing.accuracy.svg"),
        "ratings-table": (ratings, "turing.accuracy.csv"),
        "ratings-file": (ratings, "mapping.json"),
        "api-import-file": (uuid.uuid4(), uuid.uuid4()),
        "import-compare": (uuid.uuid4(),),
        "manifest-template": ("csv",),
        "case-truth": (real_case(roles=["t1c"]).pk,),
        "case-viewer": (case.pk,),
        "case-compare": (real_case(roles=["t1c"]).pk, real_case(roles=["t1c"]).pk),
        "native-image": native_address(real_case(roles=["t1c"])),
        "series-thumbnail": (case.series.first().pk,),
        "train-preset": ("unet2d-t1c",),
        "training-curve": (uuid.uuid4(), "loss.svg"),
        "training-release": (uuid.uuid4(), 100),
        "generated-image": (uuid.uuid4(), "no-such-image"),
        "fairness": (uuid.uuid4(),),
        **dict.fromkeys(
            ("training", "training-samples", "training-stop", "training-resume"), (uuid.uuid4(),)
        ),
        **dict.fromkeys(
            (
                *("checkpoint", "checkpoint-samples", "generate", "generation-run"),
                *("draw", "cut-slices", "film", "film-file", "training-files", "checkpoint-files"),
                "run-scores-csv",
            ),
            (uuid.uuid4(),),
        ),
        **dict.fromkeys(("run-scores", "run-agreement", "run-copies"), (uuid.uuid4(),)),
        **dict.fromkeys(("run-segmentations", "run-overlaps-csv"), (uuid.uuid4(),)),
        **dict.fromkeys(("run-progression-csv", "upload-label-maps"), (uuid.uuid4(),)),
        "run-copy": (uuid.uuid4(), "pixels", 0, "made"),
        **dict.fromkeys(("job", "job-retry"), (make_job().pk,)),
    }


@pytest.fixture
def clients(study) -> dict[str, Client]:
    users = {
        "reader": ReaderFactory(),
        "stranger": CoordinatorFactory(),
        "coordinator": study.created_by,
    }
    clients = {name: Client() for name in PEOPLE}
    for name, user in users.items():
        clients[name].force_login(user)
    return clients


def answer_to(client: Client, route: str, address: str) -> Any:
    """Return the status, or SIGN_IN where the answer sends there."""
    if route in SENT:
        method, data = SENT[route]
        response = getattr(client, method)(address, data, **JSON)
    else:
        response = client.get(address)
    to_sign_in = response.status_code == 302 and response.url.startswith(reverse("sign-in"))
    return SIGN_IN if to_sign_in else response.status_code


def test_every_address_is_classified():
    assert sorted(named_routes()) == sorted(ROUTES)


def test_every_address_answers_each_role_as_classified(clients, arguments):
    wrong = []
    for route, expected in ROUTES.items():
        address = reverse(route, args=arguments.get(route, ()))
        for person, wanted in zip(PEOPLE, expected, strict=True):
            answer = answer_to(clients[person], route, address)
            if answer != wanted:
                wrong.append(f"{route} for {person}: {answer}, expected {wanted}")
    assert not wrong


def test_pages_obey_the_content_security_policy(clients, arguments):
    script = rb"<script(?![^>]*\s(?:src=|type=\"application/json\"))"  # data is never run
    inline = re.compile(rb"<[^>]*\sstyle=|" + script + rb"|<style|<[^>]*\son[a-z]+=")
    for route, expected in ROUTES.items():
        if 200 not in expected:
            continue
        address = reverse(route, args=arguments.get(route, ()))
        person = PEOPLE[len(expected) - 1 - expected[::-1].index(200)]
        response = clients[person].get(address)
        assert "script-src 'self';" in response["Content-Security-Policy"] + ";"
        assert inline.search(b"".join(response)) is None, route


def test_an_action_without_the_protection_code_is_refused_in_words(study):
    client = Client(enforce_csrf_checks=True)
    client.force_login(study.created_by)
    response = client.post(reverse("study-close", args=[study.pk]), {"reason": "Enough"})
    assert response.status_code == 403
    assert "open for too long" in response.content.decode()
