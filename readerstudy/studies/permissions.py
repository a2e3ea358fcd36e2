"""Who may do what in a study, and in which of its phases: one table, asked by every staff page.

A role that is not named for an action never has it. Where an action shows what is hidden until
a phase (`SEALED`), the page itself opens in that phase only; elsewhere the page opens for the
role at any time and says why the step is not possible now.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from readerstudy.core.errors import Conflict, NotAllowed
from readerstudy.studies.models import Membership, Study

DRAFT, LOCKED, RUNNING, CLOSED, UNBLINDED = Study.State
ALWAYS = frozenset(Study.State)
READ_NOW = frozenset({LOCKED, RUNNING})
BLINDED_PHASES = frozenset({LOCKED, RUNNING, CLOSED})
AFTER_LOCK = ALWAYS - {DRAFT}
TRUTH_KNOWN = frozenset({UNBLINDED})

COORDINATOR, BLINDED, ADJUDICATOR, STATISTICIAN, AUDITOR = Membership.Role
ADMINISTRATOR = "administrator"  # of the server, without a membership: is_superuser


class Action(StrEnum):
    SEE = "see the study"
    PROGRESS = "see the progress"
    CHECKLIST = "see the checklist"
    PROTOCOL = "read the protocol and its versions"
    MANAGE = "manage the study"
    DESIGN = "change the design"
    LOCK = "lock the protocol"
    LAUNCH = "launch the study"
    CLOSE = "close the reading"
    UNBLIND = "unblind the study"
    BREAK_BLIND = "unblind one case"
    AMEND = "amend the protocol"
    MEMBERS = "change the members"
    READERS = "see and invite the readers"
    RUN = "remind readers and open periods"
    PREVIEW = "preview the reading"
    CLONE = "clone the study"
    ARCHIVE = "archive the study"
    AUDIT = "read the audit log"
    DEVIATIONS = "read the deviations"
    ADJUDICATE = "adjudicate"
    REFERENCE = "make a consensus the reference standard"
    ANSWERS = "see the answers"
    RESULTS = "see the results"
    EXPORT = "export the data"
    DEBRIEF = "open the debriefs of the readers"


Phases = frozenset[Study.State]
TABLE: dict[Action, dict[str, Phases]] = {
    Action.SEE: {
        COORDINATOR: ALWAYS,
        BLINDED: ALWAYS,
        ADJUDICATOR: ALWAYS,
        STATISTICIAN: ALWAYS,
        AUDITOR: ALWAYS,
        ADMINISTRATOR: ALWAYS,
    },
    Action.PROGRESS: {COORDINATOR: ALWAYS, BLINDED: ALWAYS},
    Action.CHECKLIST: {COORDINATOR: ALWAYS, BLINDED: ALWAYS, AUDITOR: ALWAYS},
    Action.PROTOCOL: {
        COORDINATOR: AFTER_LOCK,
        BLINDED: AFTER_LOCK,
        AUDITOR: AFTER_LOCK,
        STATISTICIAN: TRUTH_KNOWN,
    },
    Action.MANAGE: {COORDINATOR: ALWAYS},
    Action.DESIGN: {COORDINATOR: frozenset({DRAFT})},
    Action.LOCK: {COORDINATOR: frozenset({DRAFT})},
    Action.LAUNCH: {COORDINATOR: frozenset({LOCKED})},
    Action.CLOSE: {COORDINATOR: frozenset({RUNNING})},
    Action.UNBLIND: {COORDINATOR: frozenset({CLOSED})},
    Action.BREAK_BLIND: {COORDINATOR: BLINDED_PHASES},
    Action.AMEND: {COORDINATOR: READ_NOW},
    Action.MEMBERS: {COORDINATOR: ALWAYS, ADMINISTRATOR: ALWAYS},
    Action.READERS: {COORDINATOR: ALWAYS, BLINDED: ALWAYS},
    Action.RUN: {COORDINATOR: frozenset({RUNNING}), BLINDED: frozenset({RUNNING})},
    Action.PREVIEW: {COORDINATOR: READ_NOW | {DRAFT}, BLINDED: READ_NOW},
    Action.CLONE: {COORDINATOR: ALWAYS},
    Action.ARCHIVE: {COORDINATOR: frozenset({DRAFT, CLOSED, UNBLINDED})},
    Action.AUDIT: {COORDINATOR: ALWAYS, AUDITOR: ALWAYS},
    Action.DEVIATIONS: {
        COORDINATOR: AFTER_LOCK,
        BLINDED: AFTER_LOCK,
        AUDITOR: AFTER_LOCK,
        STATISTICIAN: TRUTH_KNOWN,
    },
    Action.ADJUDICATE: {ADJUDICATOR: frozenset({RUNNING, CLOSED, UNBLINDED})},
    Action.REFERENCE: {COORDINATOR: frozenset({CLOSED, UNBLINDED})},
    Action.ANSWERS: {COORDINATOR: TRUTH_KNOWN, STATISTICIAN: TRUTH_KNOWN},
    Action.RESULTS: {COORDINATOR: TRUTH_KNOWN, STATISTICIAN: TRUTH_KNOWN},
    Action.EXPORT: {COORDINATOR: TRUTH_KNOWN, STATISTICIAN: TRUTH_KNOWN},
    Action.DEBRIEF: {COORDINATOR: TRUTH_KNOWN},
}
SEALED = frozenset(
    {Action.PROTOCOL, Action.DEVIATIONS, Action.ANSWERS, Action.RESULTS, Action.EXPORT}
)
ROLE_NAMES: dict[str, str] = {
    COORDINATOR: "Coordinator",
    BLINDED: "Blinded coordinator",
    ADJUDICATOR: "Adjudicator",
    STATISTICIAN: "Statistician",
    AUDITOR: "Auditor",
    ADMINISTRATOR: "Administrator",
}
ROLE_TEXTS: dict[str, str] = {
    COORDINATOR: "Designs, launches, runs, closes and unblinds; no answers before unblinding",
    BLINDED: "Sees the progress and writes to readers; no answers, no truth, no unblinding",
    ADJUDICATOR: "Votes on the discordant cases laid before them, and sees nothing else",
    STATISTICIAN: "Results and exports once the study is unblinded; nothing before",
    AUDITOR: "Reads the audit log, the protocol's versions and the deviations; changes nothing",
}


def is_administrator(user: Any) -> bool:
    """May this user manage accounts, and see the names of all studies?"""
    return bool(user.is_authenticated and user.is_active and user.is_superuser)


def role_in(study: Study, user: Any) -> str | None:
    """Return the role of a user in a study; a membership counts before being administrator."""
    found = Membership.objects.filter(study=study, user=user).values_list("role", flat=True).first()
    return found or (ADMINISTRATOR if is_administrator(user) else None)


def phases_of(action: Action, role: str | None) -> Phases:
    """Return the phases in which a role may act; none if it never may."""
    return TABLE[action].get(role or "", frozenset())


def may(action: Action, *, study: Study, role: str | None) -> bool:
    """May a role act in the present phase of a study?"""
    return study.state in phases_of(action, role)


def roles_with(action: Action) -> list[str]:
    """Return the roles of memberships that an action is open to, in any phase."""
    return [role for role in Membership.Role if TABLE[action].get(role)]


def require_role(action: Action, *, study: Study, role: str | None) -> None:
    """Refuse a role that never has an action, or that would see what is hidden as yet."""
    phases = phases_of(action, role)
    name = ROLE_NAMES.get(role or "", "reader").lower()
    if not phases:
        raise NotAllowed(
            f"Not shown in this role: a member with the role of {name} may not {action}.",
            code="role",
        )
    if action in SEALED and study.state not in phases:
        raise NotAllowed(f"Not shown yet: {_when(action, phases, study)}", code="sealed")


def require_now(action: Action, *, study: Study, role: str | None) -> None:
    """Refuse an action that the role has, but not in the present phase."""
    require_role(action, study=study, role=role)
    phases = phases_of(action, role)
    if study.state not in phases:
        raise Conflict(f"Not now: {_when(action, phases, study)}")


def _when(action: Action, phases: Phases, study: Study) -> str:
    names = [state.value for state in Study.State if state in phases]
    return f"to {action}, the study must be {' or '.join(names)}; it is {study.state}."


class Rights:
    """What a role may do now, for templates: ``rights.close``, ``rights.break_blind``."""

    def __init__(self, study: Study, role: str | None) -> None:
        self._study, self.role = study, role

    @property
    def role_name(self) -> str:
        return ROLE_NAMES.get(self.role or "", "")

    @property
    def sees_truth(self) -> bool:
        """Are answers and origin open to this role now?"""
        return may(Action.RESULTS, study=self._study, role=self.role)

    def __getitem__(self, name: str) -> bool:
        try:
            action = Action[name.upper()]
        except KeyError:
            raise KeyError(name) from None
        return may(action, study=self._study, role=self.role)
