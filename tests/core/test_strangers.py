"""Sending, not only looking: what nobody but a study's own staff can change, however they ask.

A study has one of everything. A coordinator of another study, and each role of the study itself,
send every kind of request to every address. Afterwards the database is what it was.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse
from django.utils import timezone

import synthesis.urls
from readerstudy.adjudication.opening import open_round
from readerstudy.cases import bulk, bulk_actions
from readerstudy.core.models import Job
from readerstudy.intake import opening
from readerstudy.reading.models import Reading
from readerstudy.reading.progress import state_of
from readerstudy.reading.recording import submit
from readerstudy.reading.reminding import remind
from readerstudy.rehearsal import starting
from readerstudy.studies import deviations, lifecycle
from readerstudy.studies.models import Enrolment, Membership, Study
from tests.core.test_roles import STAFF, member
from tests.core.test_routes import ROUTES, SENT
from tests.factories import (
    UserFactory,
    body,
    make_job,
    make_ratings,
    ready_study,
    real_case,
    running_study,
)

pytestmark = pytest.mark.django_db
METHODS = ("post", "put", "patch", "delete")
REFUSED = {401, 403, 404, 405}
# What belongs to nobody's study: each of these makes, changes or queues something of one's own.
OWN_OR_SHARED = {
    *("sign-in", "sign-out", "api-session", "profile", "adjudicate", "accounts", "invitation"),
    *(name for name in ROUTES if name.startswith("display-check")),
    *("studies", "study-new", "home", "reader-home", "api-preferences", "readers", "audit"),
    *("cases", "cases-columns", "cases-select", "imports", "import-new", "api-imports"),
    *("ratings-imports", "ratings-new", "api-schema"),
    *("dicomweb", "dicomweb-series", "manifest-template", "preparations"),
    # the store of cases is one for all; tests/cases and tests/truth say who may do what in it
    *("case", "case-truth", "case-viewer", "case-compare", "case-preparation", "native-image"),
    "series-thumbnail",
    *(pattern.name for pattern in synthesis.urls.urlpatterns),  # generators are for all as well
    *("preparation", "preparation-accept", "preparation-reject", "preparation-picture"),
}
# Who may send what beside the coordinator.
BLINDED = frozenset({"blinded"})
MAY_SEND = {
    **dict.fromkeys(("study-members", "study-member-change"), frozenset({"administrator"})),
    **dict.fromkeys(("study-readers", "study-reader-link", "study-letters"), BLINDED),
    **dict.fromkeys(("study-remind", "study-open-early", "study-attempt"), BLINDED),
    **dict.fromkeys(("study-preview", "study-deviations", "study-announce"), BLINDED),
}
# Everything that any form asks for; a form takes what it knows.
FILLED: dict[str, Any] = {
    **{"reason": "I want it", "name": "Mine now", "reader_title": "Mine", "instructions": "Read."},
    **{"margin_points": "10", "washout_days": "1", "action": "remove", "code": "main"},
    **{"email": "stranger@example.org", "role": "coordinator", "text": "It was hacked"},
    **{"happened_on": "2026-01-02", "invitation": "Hello", "reminder": "Hello"},
    **{"remind_every_days": "7", "n_real": "1", "n_synthetic": "1", "n_training": "0", "seed": "1"},
    **{"readers": "2", "auc": "0.9", "p": "0.01", "least_ms": "50", "questions": "origin"},
    **{"least_levels": "1", "stage": "own", "vote-origin": "real", "confirm": "1", "revision": "1"},
    **{"subspecialty": "Neuroradiology", "years_of_experience": "9", "institution": "university"},
    **{"new_password1": "a quiet dim room", "new_password2": "a quiet dim room", "next": "/"},
}


def addresses(patterns: list[Any], prefix: str = "") -> dict[str, str]:
    """Return the pattern of every address by its name."""
    found: dict[str, str] = {}
    for one in patterns:
        route = f"{prefix}{one.pattern}"
        if isinstance(one, URLResolver):
            found |= addresses(one.url_patterns, route)
        else:
            found[one.name] = route
    return found


ADDRESSES = addresses(get_resolver().url_patterns)


@dataclass
class World:
    """One study of somebody else, with one of everything that its phase allows."""

    study: Study
    owner: Any
    more: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def address(self, route: str) -> str | None:
        """Return the address of a route with this study's objects; None if it needs others."""
        if route in OWN_OR_SHARED:
            return None
        if route in self.more:
            return reverse(route, args=self.more[route])
        if route.startswith("study"):
            return reverse(route, kwargs=self._arguments(ADDRESSES[route]))
        return None

    def _arguments(self, pattern: str) -> dict[str, Any]:
        """Fill an address below a study with what this study has."""
        known = {
            "pk": self.study.pk,
            "code": "R1" if "readers/" in pattern else "origin",
            "option": "real",
            "entry": self.study.analyses[0].code,
            "number": 1,
            "name": "everything.zip",
            "series": uuid.uuid4(),
        }
        names = re.findall(r"<\w+:(\w+)>", pattern)
        assert set(names) <= set(known), f"say in this test how to fill {pattern}"
        return {name: known[name] for name in names}

    @property
    def reading_token(self) -> str:
        return self.more["api-answers"][1]

    @property
    def form(self) -> dict[str, Any]:
        """Every field of every form, filled with what is true of this study."""
        codes = list(self.study.cases.values_list("code", flat=True))
        return {
            **FILLED,
            "typed_name": self.study.name,
            "user": self.study.memberships.first().user_id,
            "panel": [reader.reader_id for reader in self.study.readers.all()],
            "codes": " ".join(codes),
            **({"code": codes[0]} if codes else {}),
        }


def drafted() -> World:
    study = ready_study()
    return _with_addresses(World(study, study.created_by))


def at_work() -> World:
    study = running_study()
    enrolment = study.readers.first()
    _read(enrolment, "real", 1)
    state_of(enrolment)
    remind(enrolment=study.readers.last(), actor=study.created_by)
    return _with_addresses(World(study, study.created_by))


def over() -> World:
    study = running_study()
    for enrolment, said in zip(study.readers, ("real", "synthetic"), strict=True):
        _read(enrolment, said, 4)
    lifecycle.close(study=study, actor=study.created_by, reason="All is read")
    study.refresh_from_db()
    opened = open_round(
        study=study,
        questions=[study.questions.get(code="origin")],
        panel=[one.reader for one in study.readers],
        actor=study.created_by,
    )
    world = _with_addresses(World(study, study.created_by))
    seat = opened.panel.first()
    case = Reading.objects.filter(enrolment=seat).first()
    world.more |= {
        "adjudicate-next": (seat.token,),
        "adjudicate-case": (seat.token, case.token),
    }
    return world


def _read(enrolment: Enrolment, said: str, count: int) -> None:
    for _ in range(count):
        reading = Reading.objects.get(token=state_of(enrolment)["reading"]["token"])
        submit(reading=reading, key=str(uuid.uuid4()), body=body(origin=said))


def _with_addresses(world: World) -> World:
    """Add a dry run, a deviation, a failed job, an upload, a preview and what leads to them."""
    study, actor = world.study, world.owner
    Membership.objects.create(study=study, user=UserFactory(), role="adjudicator")
    starting.note_rehearsal(study=study, readers=2, actor=actor)
    today = timezone.now().date()
    deviations.record_deviation(
        study=study, text="A lamp failed", happened_on=today, code="", reason="", actor=actor
    )
    job = make_job(arguments={"study": str(study.pk)}, state=Job.State.FAILED)
    upload = opening.open_upload(actor=actor)
    ratings = make_ratings(actor)
    waiting = bulk.choose(action=bulk_actions.AddTags.key, cases=[real_case().pk], user=actor)
    enrolment = study.readers.first()
    readings = Reading.objects.filter(enrolment=enrolment, offered_at__isnull=False)
    reading = readings.order_by("position").last()
    token = reading.token if reading else "none"
    image = reading.images.first().token if reading else "none"
    world.more = {
        **dict.fromkeys(("read", "read-changes", "read-calendar"), (enrolment.token,)),
        "debrief": (enrolment.token,),
        "debrief-picture": (enrolment.token, token, 0),
        **dict.fromkeys(("api-state", "api-pause", "api-resume"), (enrolment.token,)),
        **dict.fromkeys(("api-answers", "api-undo", "api-draft"), (enrolment.token, token)),
        "image": (image, 0),
        **dict.fromkeys(("adjudicate-next", "adjudicate-case"), (enrolment.token, token)),
        "adjudicate-next": (enrolment.token,),
        **dict.fromkeys(("job", "job-retry"), (job.pk,)),
        **dict.fromkeys(
            (name for name in ROUTES if name.startswith(("import-", "api-import"))), (upload.pk,)
        ),
        "import": (upload.pk,),
        "api-import-file": (upload.pk, uuid.uuid4()),
        **dict.fromkeys((name for name in ROUTES if name.startswith("ratings-")), (ratings.pk,)),
        **dict.fromkeys(("ratings-figure", "ratings-table"), (ratings.pk, "turing.calls.csv")),
        "ratings-file": (ratings.pk, "mapping.json"),
        "cases-change": (waiting.pk,),
        "example-image": ("no-such-token",),
    }
    return world


WORLDS: dict[str, Callable[[], World]] = {"draft": drafted, "running": at_work, "closed": over}


@contextmanager
def writes() -> Iterator[list[str]]:
    """Record each statement that would change a table, but those of sign-in."""
    found: list[str] = []

    def record(execute: Any, sql: str, *rest: Any) -> Any:
        if re.match(r"(INSERT|UPDATE|DELETE|REPLACE)", sql) and "django_session" not in sql:
            found.append(sql[:120])
        return execute(sql, *rest)

    with connection.execute_wrapper(record):
        yield found


def send(browser: Client, method: str, route: str, address: str, form: dict[str, Any]) -> int:
    if method == "post" and route not in SENT:
        return browser.post(address, form).status_code
    data = SENT[route][1] if route in SENT else form
    data = {**data, "answers": {"origin": "real", "confidence": "1"}} if route in SENT else data
    return getattr(browser, method)(address, data, content_type="application/json").status_code


def attempts(browser: Client, world: World, routes: Iterable[str] = ROUTES) -> list[str]:
    """Send every kind of request everywhere; return what was not refused or wrote anything."""
    wrong, form = [], world.form
    for route in routes:
        address = world.address(route)
        for method in METHODS if address else ():
            with writes() as written:
                status = send(browser, method, route, address, form)
            if status not in REFUSED or written:
                wrong.append(f"{method} {route}: {status} {written}")
    return wrong


@pytest.mark.parametrize("phase", WORLDS)
def test_a_coordinator_of_another_study_changes_nothing_with_any_request(phase):
    world = WORLDS[phase]()
    own = ready_study()
    browser = Client()
    browser.force_login(own.created_by)
    assert attempts(browser, world) == []


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("phase", ["draft", "running"])
def test_a_role_sends_only_what_is_open_to_it(phase, role):
    world = WORLDS[phase]()
    routes = [name for name in ROUTES if name.startswith("study-") and name not in OWN_OR_SHARED]
    closed = [name for name in routes if role not in MAY_SEND.get(name, ())]
    assert attempts(member(world.study, role, may_coordinate=True), world, closed) == []


def test_the_coordinator_of_the_study_is_not_refused_there():
    """The requests above are not refused for being malformed."""
    world = at_work()
    browser = Client()
    browser.force_login(world.owner)
    for route in ("study-letters", "study-remind", "study-close"):
        with writes() as written:
            status = send(browser, "post", route, world.address(route), world.form)
        assert (status, bool(written)) == (302, True), route
        assert send(browser, "put", route, world.address(route), world.form) == 405


def test_every_address_is_either_tried_or_nobodys():
    world = over()
    assert {name for name in ROUTES if world.address(name) is None} == OWN_OR_SHARED


# Identifiers of the other study in forms and addresses of one's own.


@pytest.fixture
def world() -> World:
    return at_work()


@pytest.fixture
def own() -> Study:
    return running_study()


@pytest.fixture
def stranger(own) -> Client:
    browser = Client()
    browser.force_login(own.created_by)
    return browser


def test_another_studys_member_case_reader_or_run_is_none_of_ones_own(world, own, stranger):
    theirs, form = world.study, world.form
    asked = {
        "study-member-change": ((own.pk,), {"user": form["user"], "role": "", "reason": "Out"}),
        "study-unblind-case": ((own.pk,), {"code": form["code"], "reason": "I want it"}),
        "study-withdraw": ((own.pk,), {"codes": form["codes"], "reason": "I want it"}),
        "study-dry-run-discard": ((own.pk, 1), {"reason": "Away with it"}),
        "study-unblind": ((own.pk,), {"typed_name": theirs.name, "reason": "I want it"}),
        "cases-change": (world.more["cases-change"], {"tags": "mine", "confirm": "1"}),
        "import-end": (world.more["import-end"], {}),
        "job-retry": (world.more["job-retry"], {}),
    }
    for route, (arguments, sent) in asked.items():
        with writes() as written:
            status = stranger.post(reverse(route, args=arguments), sent).status_code
        assert status in {302, 400, 404, 409}, (route, status)
        assert not written, (route, written)


def test_a_panel_holds_nobody_of_another_study(world):
    mine, theirs = over(), world.study.memberships.get(role="adjudicator")
    mine.study.rounds.update(concluded_at=timezone.now())
    browser = Client()
    browser.force_login(mine.owner)
    address = reverse("study-adjudication", args=[mine.study.pk])
    sent = {"questions": ["origin"], "panel": [theirs.user_id], "least_levels": 1}
    assert browser.post(address, sent).status_code == 400
    assert mine.study.rounds.count() == 1


def test_a_reader_reaches_no_case_of_another_study_through_the_own_token(world, own):
    reader = own.readers.first()
    browser = Client()
    browser.force_login(reader.reader)
    for route in ("api-answers", "api-undo", "api-draft"):
        address = reverse(route, args=(reader.token, world.reading_token))
        method, data = SENT[route]
        with writes() as written:
            answer = getattr(browser, method)(address, data, content_type="application/json")
        assert (answer.status_code, written) == (404, []), route
    image = Reading.objects.get(token=world.reading_token).images.first()
    assert browser.get(reverse("image", args=(image.token, 0))).status_code == 404


@pytest.mark.parametrize("named", ["theirs", "no-uuid", ""])
def test_a_study_named_in_the_query_opens_nothing(world, stranger, named):
    key = str(world.study.pk) if named == "theirs" else named
    for address in (reverse("manifest-template", args=["csv"]), reverse("cases")):
        answer = stranger.get(address, {"study": key})
        assert answer.status_code == (404 if named else 200)
        assert world.study.name not in answer.content.decode()


def test_a_programme_of_the_same_name_shows_the_own_sessions_alone(world, own, stranger):
    Study.objects.filter(pk__in=[world.study.pk, own.pk]).update(programme="StyleGAN2, T1c")
    page = stranger.get(reverse("study-programme", args=[own.pk])).content.decode()
    assert own.name in page
    assert world.study.name not in page


def test_inviting_a_reader_of_others_gives_no_link_and_changes_nothing_of_theirs(world):
    mine = ready_study()
    browser = Client()
    browser.force_login(mine.created_by)
    reader = world.study.readers.first().reader
    before = (reader.password, str(reader), reader.profile.years_of_experience)
    sent = {"name": "Dr Other", "email": reader.email, "years_of_experience": 1}
    page = browser.post(reverse("study-readers", args=[mine.pk]), sent)
    assert page.status_code == 200
    assert "/invitation/" not in page.content.decode()
    reader.refresh_from_db()
    assert (reader.password, str(reader), reader.profile.years_of_experience) == before


def test_no_page_names_the_study_its_people_or_what_it_is_about(world, own, stranger):
    """Every address that opens for a coordinator of another study, the shared ones included."""
    study = world.study
    secrets = [study.name, str(study.pk), study.reader_title, study.protocol_hash]
    secrets += list(study.readers.values_list("reader__email", flat=True))
    secrets += [str(one.reader) for one in study.readers.select_related("reader")]
    secrets += list(study.readers.values_list("token", flat=True))
    case = study.cases.first()
    shared = {
        "case": (case.pk,),
        "case-viewer": (case.pk,),
        "case-truth": (case.pk,),
        "case-preparation": (case.pk,),
        "series-thumbnail": (case.series.first().pk,),
        "import": world.more["import"],
        "import-table": world.more["import"],
        "manifest-template": ("csv",),
    }
    opened = 0
    for route, arguments in {**dict.fromkeys(OWN_OR_SHARED, ()), **shared}.items():
        try:
            address = reverse(route, args=arguments)
        except NoReverseMatch:
            continue  # of an object that tests/cases, tests/truth or tests/synthesis make
        answer = stranger.get(address, follow=True)
        text = b"".join(answer).decode(errors="replace")
        assert [secret for secret in secrets if secret in text] == [], route
        opened += answer.status_code == 200
    assert opened > 15
