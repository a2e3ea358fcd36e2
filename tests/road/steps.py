"""A study from its template to its export, every step of it a request over HTTP."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from dataclasses import dataclass, replace
from html import unescape

from readerstudy.core import jobs
from readerstudy.rehearsal import crib as cribs
from readerstudy.rehearsal.assumptions import Assumptions
from readerstudy.rehearsal.http_session import HttpSession
from readerstudy.rehearsal.reading_client import Ledger, SimulatedReader
from readerstudy.rehearsal.virtual_readers import Shown, VirtualReader
from readerstudy.studies.models import Study
from readerstudy.studies.templates.base import StudyTemplate
from tests.factories import PASSWORD, CoordinatorFactory
from tests.rehearsal.studies import add_references, case_of
from tests.road.person import Person, said

SUBJECTS = 4
LINK = re.compile(r"https?://[^\s<\"]+/invitation/[^\s<\"]+/")
ALIKE = Assumptions(reader_spread=0, arm_spread=0, not_evaluable=0, agreement=1, optional=1)


class Certain(VirtualReader):
    """A reader whose evidence has no noise: above a sensitivity of 0 always right, below never."""

    def _parts(self, key: tuple[object, ...], shown: Shown) -> float:
        del key, shown
        return 0.0


def certain_reader(code: str, dprime: float) -> Certain:
    return Certain(code, "planted", replace(ALIKE, dprime=dprime))


@dataclass
class Road:
    """One study with its coordinator, who holds a browser."""

    url: str
    template: StudyTemplate
    coordinator: Person
    study: Study

    def at(self, page: str) -> str:
        return f"/staff/studies/{self.study.pk}/{page}"

    @classmethod
    def begin(cls, url: str, template: StudyTemplate) -> Road:
        """Sign in as a coordinator and start a study from the template."""
        user, person = CoordinatorFactory(), Person(url)
        person.sign_in(user.username, PASSWORD)
        made = person.fill(
            "/staff/studies/new/",
            template=template.key,
            name=f"Study of {template.key}",
            reader_title="Brain MR reading A",
        )
        study = Study.objects.get(pk=uuid.UUID(made.url.rstrip("/").rsplit("/", 1)[1]))
        return cls(url, template, person, study)

    def choose_cases(self) -> None:
        """Put cases in the store and let the page draw them in the template's ratio."""
        design, numbers = self.template.design, self.template.numbers
        both = design.plan == "one_version" or design.pairing == "subject"
        roles = {slot.role for slot in self.template.viewing.slots}
        kinds = [kind for kind in ("real", "synthetic") if getattr(numbers, kind)]
        for number in range(SUBJECTS):
            for version in kinds if both else [kinds[number % len(kinds)]]:
                case = case_of(f"road{number}", version, roles, 20 * number + 7)
                add_references(self.study, case, number)
        each = SUBJECTS if both or len(kinds) == 1 else SUBJECTS // 2
        counts = {f"n_{kind}": each if kind in kinds else 0 for kind in ("real", "synthetic")}
        self.coordinator.fill(self.at("cases/"), **counts)
        if design.repeats:
            self.coordinator.fill(self.at("design/"), repeats=1, lag=2)

    def invite(self, name: str, email: str) -> Person:
        """Invite a reader; return the reader's browser, signed in through the personal link."""
        page = self.coordinator.fill(
            self.at("readers/"),
            name=name,
            email=email,
            subspecialty="Neuroradiology",
            years_of_experience=9,
        )
        link = LINK.search(unescape(page.text))[0].removeprefix(self.url)
        reader = Person(self.url)
        reader.fill(link, new_password1="a quiet dim room", new_password2="a quiet dim room")
        return reader

    def open_reading(self) -> None:
        """Lock, let the workers prepare and look for leaks, launch."""
        self.coordinator.post(self.at("lock/"), {})
        jobs.work_through("default")
        self.coordinator.post(self.at("launch/"), {})
        self.study.refresh_from_db()
        why = said(self.coordinator.get(self.at("launch/")).text)
        assert self.study.state == Study.State.RUNNING, why

    def read(self, readers: dict[str, Person], virtual: dict[str, VirtualReader]) -> list[Ledger]:
        """Let each reader read to the end through the reading page's interface."""
        shown = cribs.crib_of(self.study, seed="planted").shown
        ledgers = []
        for code, person in readers.items():
            session = HttpSession(self.url, person.cookies)
            token = self.study.enrolments.get(code=code).token
            at_work = SimulatedReader(
                virtual[code], session, token, shown, wait=lambda code=code: self.open_early(code)
            )
            ledgers.append(at_work.read_all())
        return ledgers

    def open_early(self, code: str) -> int:
        self.coordinator.post(self.at(f"readers/{code}/open/"), {"reason": "The test is in haste"})
        return 1

    def finish(self) -> dict[str, bytes]:
        """Close, unblind and download everything; return the files by name."""
        self.coordinator.fill(self.at("close/"), reason="All is read")
        self.coordinator.fill(
            self.at("unblind/"), typed_name=self.study.name, reason="For the analysis"
        )
        self.study.refresh_from_db()
        jobs.work_through("default")  # the analysis that unblinding started
        archive = self.coordinator.get(self.at("export/everything.zip")).content
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert opened.testzip() is None
            return {name: opened.read(name) for name in opened.namelist()}
