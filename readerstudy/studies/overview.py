"""What a member of a study finds open, and what is named as hidden in the role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.studies import permissions
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import Action


@dataclass(frozen=True)
class Place:
    """A page about a study that some roles may open."""

    title: str
    text: str
    url_name: str
    action: Action


@dataclass(frozen=True)
class Shown:
    """A place as one role finds it now."""

    place: Place
    role: str
    open: bool

    @property
    def title(self) -> str:
        return self.place.title

    @property
    def text(self) -> str:
        return self.place.text

    @property
    def url_name(self) -> str:
        return self.place.url_name

    @property
    def reason(self) -> str:
        phases = permissions.phases_of(self.place.action, self.role)
        names = [state.value for state in Study.State if state in phases]
        return f"Not yet: opens when the study is {' or '.join(names)}"


_places: list[Place] = []


def offers_place(title: str, text: str, url_name: str, action: Action) -> None:
    """Name a page, so that the overview of the roles that may open it lists it."""
    _places.append(Place(title, text, url_name, action))


offers_place("Checklist", "What was checked before the launch", "study-launch", Action.CHECKLIST)
offers_place("Readers", "Who reads, and their invitations", "study-readers", Action.READERS)
offers_place(
    "Allocation certificate",
    "Seed, algorithm and table, for a reviewer to draw again",
    "study-certificate",
    Action.PROTOCOL,
)
offers_place(
    "Protocol", "The locked protocol and its amendments", "study-versions", Action.PROTOCOL
)
offers_place("Deviations", "What departed from the protocol", "study-deviations", Action.DEVIATIONS)
offers_place(
    "Audit", "Records, hashes, unblindings, amendments and deviations", "study-audit", Action.AUDIT
)
offers_place("Members", "Who has which role", "study-members", Action.MEMBERS)
offers_place("Results", "Tables, figures and the export", "study-results", Action.RESULTS)

HIDDEN = {
    "Progress of the readers": Action.PROGRESS,
    "Answers": Action.ANSWERS,
    "Results": Action.RESULTS,
    "Audit log": Action.AUDIT,
}


def shown_to(study: Study, role: str) -> dict[str, Any]:
    """Return the context of the overview for one role."""
    mine = [place for place in _places if permissions.phases_of(place.action, role)]
    return {
        "role_text": permissions.ROLE_TEXTS.get(role, "Manages accounts and members"),
        "places": [
            Shown(place, role, permissions.may(place.action, study=study, role=role))
            for place in mine
        ],
        "hidden": [
            name for name, action in HIDDEN.items() if not permissions.phases_of(action, role)
        ],
    }
