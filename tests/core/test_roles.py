"""Every address as every role: of the study, and of another study."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.studies.models import Membership
from tests.core.test_routes import ROUTES, answer_to, arguments, study  # noqa: F401 fixtures
from tests.factories import ReaderFactory, StudyFactory, UserFactory, make_job

pytestmark = pytest.mark.django_db

STAFF = ("blinded", "adjudicator", "statistician", "auditor", "administrator")
NOBODY_ELSE = (403, 403, 403, 403, 403)
# What the other roles of the running study get; the coordinator's answers: test_routes.ROUTES.
ROLES: dict[str, tuple[int, ...]] = {
    "study": (200, 200, 200, 200, 200),
    "study-launch": (200, 403, 403, 200, 403),
    "study-lock": (302, 403, 403, 302, 403),
    "study-readers": (200, 403, 403, 403, 403),
    "study-reader-link": (405, 403, 403, 403, 403),
    "study-certificate": (200, 403, 403, 200, 403),
    "study-members": (403, 403, 403, 403, 200),
    "study-member-change": (403, 403, 403, 403, 405),
    "study-describe": NOBODY_ELSE,
    "study-display": NOBODY_ELSE,
    "study-cases": NOBODY_ELSE,
    "study-questions": NOBODY_ELSE,
    "study-question": NOBODY_ELSE,
    "study-question-add": NOBODY_ELSE,
    "study-question-act": NOBODY_ELSE,
    "study-example": NOBODY_ELSE,
    "study-design": NOBODY_ELSE,
    "study-programme": NOBODY_ELSE,
    "study-arm": NOBODY_ELSE,
    "study-close": NOBODY_ELSE,
    "study-unblind": NOBODY_ELSE,
    "study-sample-size": (200, 403, 403, 200, 403),
    "study-size-curve": (200, 403, 403, 200, 403),
    "study-dry-run": (200, 403, 403, 200, 403),
    "study-dry-run-discard": NOBODY_ELSE,
    "study-sentinel": (200, 403, 403, 200, 403),
    "study-sentinel-run": (302, 403, 403, 302, 403),
    "study-sentinel-limits": NOBODY_ELSE,
    "study-dry-run-export": NOBODY_ELSE,
    "study-versions": (200, 403, 403, 200, 403),
    "study-deviations": (200, 403, 403, 200, 403),
    "study-clone": NOBODY_ELSE,
    "study-adjudication": NOBODY_ELSE,
    "study-adjudication-conclude": NOBODY_ELSE,
    "study-adjudication-adopt": NOBODY_ELSE,
    "study-consensus": NOBODY_ELSE,
    "study-letters": (200, 403, 403, 403, 403),
    "study-remind": (405, 403, 403, 403, 403),
    "study-announce": (405, 403, 403, 403, 403),
    "study-audit": (403, 403, 403, 200, 403),
    "study-audit-file": (403, 403, 403, 200, 403),
    "study-analysis": NOBODY_ELSE,
    "study-questions-full": NOBODY_ELSE,
    "study-withdraw-reader": NOBODY_ELSE,
    "study-replace-reader": NOBODY_ELSE,
    "study-archive": NOBODY_ELSE,
    "study-amend": NOBODY_ELSE,
    "study-withdraw": NOBODY_ELSE,
    "study-add-reader": NOBODY_ELSE,
    "study-unblind-case": NOBODY_ELSE,
    "study-preview": (200, 403, 403, 403, 403),
    "study-open-early": (405, 403, 403, 403, 403),
    "study-attempt": (405, 403, 403, 403, 403),
    "study-results": NOBODY_ELSE,
    "study-figure": NOBODY_ELSE,
    "study-table": NOBODY_ELSE,
    "study-image-scores": NOBODY_ELSE,
    "study-image-scores-figure": NOBODY_ELSE,
    "study-image-scores-table": NOBODY_ELSE,
    "study-explore": NOBODY_ELSE,
    "study-analysis-cancel": NOBODY_ELSE,
    "study-export": NOBODY_ELSE,
    "study-others": NOBODY_ELSE,
    "study-bids": NOBODY_ELSE,
    "study-ratings-api": NOBODY_ELSE,
    "study-reads": NOBODY_ELSE,
    "study-read-picture": NOBODY_ELSE,
    "study-debriefs": NOBODY_ELSE,
}
# Where a member of any study who may not coordinate gets more than a reader.
MEMBERS: dict[str, tuple[int, ...]] = {
    "home": (302, 302, 302, 302, 302),
    "studies": (200, 200, 200, 200, 200),
    "audit": (403, 403, 403, 200, 200),
    "accounts": (403, 403, 403, 403, 200),
}


def member(study, role: str, **options) -> Client:  # noqa: F811
    """A browser signed in as a new member of a study, or as an administrator."""
    factory = UserFactory if options.get("may_coordinate") else ReaderFactory
    user = factory(is_superuser=role == "administrator", **options)
    if role != "administrator":
        Membership.objects.create(study=study, user=user, role=role)
    browser = Client()
    browser.force_login(user)
    return browser


def differences(browser: Client, arguments, wanted) -> list[str]:  # noqa: F811
    """Return where the answers are not what ``wanted(route)`` says."""
    found = []
    for route in ROUTES:
        answer = answer_to(browser, route, reverse(route, args=arguments.get(route, ())))
        if answer != wanted(route):
            found.append(f"{route}: {answer}, expected {wanted(route)}")
    return found


@pytest.mark.parametrize("role", STAFF)
def test_every_address_answers_each_role_of_the_study_as_classified(study, arguments, role):  # noqa: F811
    of_study = {name for name in ROUTES if arguments.get(name, (0,))[:1] == (study.pk,)}
    assert of_study == set(ROLES)
    known, place = {**ROLES, **MEMBERS}, STAFF.index(role)

    def wanted(route: str):
        return known[route][place] if route in known else ROUTES[route][1]

    assert differences(member(study, role), arguments, wanted) == []


@pytest.mark.parametrize("role", Membership.Role.values)
def test_a_member_of_another_study_is_a_stranger_in_this_one(study, arguments, role):  # noqa: F811
    """With the right to coordinate and without: no page of another study."""

    def wanted(route: str):
        if route not in MEMBERS:
            return ROUTES[route][1]
        if role == "coordinator":
            return ROUTES[route][2]
        return MEMBERS[route][STAFF.index(role)]

    coordinating = member(StudyFactory(), role, may_coordinate=True)
    tells = dict.fromkeys(("case-truth", "case-compare", "native-image"), 403)
    kept_blind = tells if role in ("blinded", "adjudicator") else {}
    as_stranger = {route: answers[2] for route, answers in ROUTES.items()} | kept_blind
    assert differences(coordinating, arguments, as_stranger.get) == []
    assert differences(member(StudyFactory(), role), arguments, wanted) == []


@pytest.mark.parametrize("role", Membership.Role.values)
def test_nothing_of_a_study_is_named_to_members_of_another(study, role):  # noqa: F811
    browser = member(StudyFactory(), role, may_coordinate=True)
    names = [study.name, str(study.pk), *study.readers.values_list("reader__email", flat=True)]
    for route in ("studies", "readers", "audit", "cases", "imports", "generators"):
        text = browser.get(reverse(route)).content.decode()
        assert [name for name in names if name in text] == [], route


@pytest.mark.parametrize("role", STAFF)
def test_a_step_needs_the_role_and_not_only_its_page(study, role):  # noqa: F811
    browser = member(study, role)
    for route in ("study-launch", "study-lock", "study-close", "study-unblind"):
        response = browser.post(reverse(route, args=[study.pk]), {"reason": "I may not"})
        assert response.status_code == 403, route
        assert "Not shown in this role" in response.content.decode()
    study.refresh_from_db()
    assert study.state == "running"


def test_a_job_of_a_study_is_shown_to_its_staff_alone(study):  # noqa: F811
    job = make_job(arguments={"study": str(study.pk)}, state="failed")
    address, again = reverse("job", args=[job.pk]), reverse("job-retry", args=[job.pk])
    stranger = member(StudyFactory(), "coordinator", may_coordinate=True)
    assert stranger.get(address).status_code == 404
    assert stranger.post(again).status_code == 404
    auditor = member(study, "auditor")
    assert auditor.get(address).status_code == 200
    assert auditor.post(again).status_code == 404
    assert member(study, "blinded").post(again).status_code == 302
