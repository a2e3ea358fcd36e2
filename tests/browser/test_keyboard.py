"""A new reader reads a study in two steps, unaided and then aided, with the keyboard alone.

Every kind of question, a mark on the image, an undo, a pause, a reload, answers without a
connection; then the database must hold each answer as it was typed, once.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Tab, new_site
from tests.browser.reader import accept_invitation, pane_is_shown

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
EMAIL = "ngugi@example.org"
PREPARE = f"""
from tests import two_steps
made = two_steps.draft(2, 1, n_readers=0)
from readerstudy.studies.inviting import invite_reader
from tests import scenario
invited = invite_reader(
    study=made.study, name="Dr W. Ngugi", email="{EMAIL}", profile={{}},
    link_of=lambda token: f"/invitation/{{token}}/", actor=made.coordinator,
)
scenario.started(made)
print(invited.link)
"""
STORED = """
import django, json; django.setup()
from readerstudy.core import audit
from readerstudy.reading.answering import value_of
from readerstudy.reading.models import Reading, Submission
rows = Submission.objects.order_by("received_at").select_related("reading")
print(json.dumps({
    "readings": Reading.objects.count(),
    "broken": list(audit.broken_links()),
    "rows": [{
        "outcome": row.outcome,
        "token": row.reading.token,
        "position": row.reading.position,
        "stage": row.reading.stage,
        "arm": row.reading.arm,
        "sent": row.body["answers"],
        "kept": {r.question.code: value_of(r) for r in row.ratings.all()},
        "corrects": str(row.supersedes_id) if row.supersedes_id else None,
        "id": str(row.pk),
        "clock": row.body["clock"],
        "viewer": row.body["viewer"],
    } for row in rows],
}))
"""
MUTED = "3 foci of 12 mm: no, unsure, 5 %"


@dataclass
class Reader:
    """The page as its reader works it: presses of keys, and looks at what they did."""

    tab: Tab

    @property
    def page(self):
        return self.tab.page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def go_to(self, code: str) -> None:
        """Come to a question with Tab or back with Shift and Tab."""
        for key in ["Tab"] * 8 + ["Shift+Tab"] * 8:
            if self.page.locator(f".question.is-active [name={code}]").count():
                return
            self.press(key)
        raise AssertionError(f"no key led to {code}")

    def at(self, case: int, step: int) -> None:
        """Wait until a step of a case is on screen."""
        self.page.get_by_text(f"Case {case} of 3", exact=True).wait_for()
        self.page.locator(".step strong", has_text=f"Step {step} of 2").wait_for()
        pane_is_shown(self.page)

    def chosen(self, code: str) -> list[str]:
        checked = self.page.locator(f"input[name={code}]:checked")
        return [one.get_attribute("value") for one in checked.all()]

    def option(self, code: str, value: str):
        return self.page.locator("label.option", has=self.page.locator(f"[name={code}]")).filter(
            has=self.page.locator(f"[value={value}]")
        )

    def state(self) -> dict[str, Any]:
        address = self.page.url.replace("/read/", "/api/read/")
        return self.tab.context.request.get(f"{address}state").json()

    @property
    def slice(self):
        return self.page.get_by_text(re.compile(r"^\d+ / \d+$")).first


@pytest.fixture
def reader(tmp_path, chromium):
    """A reader who followed the invitation to the page with the instructions."""
    site = new_site(tmp_path)
    link = site.python("-c", PREPARE).strip().splitlines()[-1]
    site.start_web()
    tab = Tab(chromium, site)
    accept_invitation(tab, site.url + link, EMAIL)
    tab.open_reading("Begin")
    tab.page.get_by_text("You will see brain MR images").wait_for()
    yield Reader(tab)
    try:
        tab.close()
    finally:
        site.kill("web")


def answer_the_first_case_unaided(reader: Reader) -> dict[str, Any]:
    page = reader.page
    spot = page.locator(".question--region .region")
    expect(spot).to_be_hidden()
    reader.press("2")
    expect(spot, "a question appears with its condition").to_be_visible()
    reader.press("7", "3", "Tab")
    reader.press("Space", "ArrowRight", "ArrowRight", "ArrowDown", "Enter")
    expect(spot).to_contain_text("on slice")
    expect(reader.option("crosses", "yes")).to_be_hidden()
    reader.press("4", "5", ".", "5")
    expect(reader.option("crosses", "yes")).to_be_visible()
    reader.press("Tab", "1")
    reader.go_to("remark")
    page.keyboard.type(MUTED)
    assert reader.chosen("origin") == ["synthetic"], "digits are muted while typing"
    reader.press("Tab", "1", "3")
    assert reader.chosen("cues") == ["vessels", "texture"]
    return {
        "origin": "synthetic",
        "sure": 73,
        "size": 45.5,
        "crosses": "yes",
        "remark": MUTED,
        "cues": ["vessels", "texture"],
    }


def test_every_kind_of_answer_by_keyboard_is_stored_as_typed_and_once(reader):
    page, press = reader.page, reader.press
    press("Enter")
    reader.at(1, 1)
    state = reader.state()
    first, slot = state["reading"]["token"], state["forms"][0]["layout"]["slots"][0]
    expected = [answer_the_first_case_unaided(reader)]
    mark = page.locator(".question--region .region__text").inner_text()
    press("Enter")

    # The second step shows more; the first is sealed, by the key and by the server.
    reader.at(1, 2)
    assert page.locator(".step__sealed").get_by_text("45.5 mm").is_visible()
    press("u")
    time.sleep(0.3)
    reader.at(1, 2)
    token = {one["name"]: one["value"] for one in reader.tab.context.cookies()}["csrftoken"]
    address = page.url.replace("/read/", "/api/read/")
    refused = reader.tab.context.request.post(
        f"{address}readings/{first}/undo",
        headers={"X-CSRFToken": token, "Referer": page.url},
        data={},
    )
    assert (refused.status, refused.json()["error"]["code"]) == (409, "sealed")

    press("b")
    page.locator(".pane").get_by_text("T1c", exact=True).wait_for()

    # A condition that ceases takes its answer along.
    press("1", "9", "Tab", "5", "0", "Tab", "2")
    assert reader.chosen("crosses") == ["no"]
    reader.go_to("size")
    press("1", "2")
    expect(reader.option("crosses", "no")).to_be_hidden()
    press("Enter")
    expected.append({"origin": "real", "sure": 9, "size": 12})

    # Undo within the grace time: the case comes back as it was saved and is corrected.
    reader.at(2, 1)
    press("u")
    reader.at(1, 2)
    assert reader.chosen("origin") == ["real"]
    reader.go_to("sure")
    press("2", "0", "Enter")
    expected.append({"origin": "real", "sure": 20, "size": 12})

    # A pause in the middle of a form.
    reader.at(2, 1)
    press("1", "5", "p")
    page.get_by_text("Paused at case 2").wait_for()
    press("3", "Enter")
    page.get_by_text("Paused at case 2").wait_for(state="hidden")
    assert (reader.chosen("origin"), page.locator("output.line__value").inner_text()) == (
        ["real"],
        "5",
    )
    reader.go_to("size")
    press("8", "Enter")
    expected.append({"origin": "real", "sure": 5, "size": 8})

    # A reload in the middle of a form.
    reader.at(2, 2)
    expect(reader.slice).to_have_text("10 / 20")
    press("ArrowUp", "ArrowUp", "2", "6", "0")
    expect(reader.slice).to_have_text("8 / 20")
    page.reload()
    reader.at(2, 2)
    expect(reader.slice).to_have_text("8 / 20")
    assert (reader.chosen("origin"), page.locator("output.line__value").inner_text()) == (
        ["synthetic"],
        "60",
    )

    # Two answers without a connection: kept, then accepted once.
    page.get_by_text("Next case ready").wait_for()
    reader.tab.context.set_offline(True)
    page.locator(".notice__title", has_text="No connection since").wait_for()
    reader.go_to("size")
    press("3", "3")
    press("Shift+Tab", "Space", "Enter", "Enter")
    expected.append({"origin": "synthetic", "sure": 60, "size": 33})
    reader.at(3, 1)
    press("1", "1", "0", "0", "Tab", "0", ",", "5", "Enter")
    expected.append({"origin": "real", "sure": 100, "size": 0.5})
    page.locator(".receipt--waiting", has_text="2 answers waiting").wait_for()
    page.get_by_text("Reading waits for the connection").first.wait_for()
    reader.tab.context.set_offline(False)
    reader.at(3, 2)
    page.locator(".receipt--saved").wait_for()
    page.get_by_role("button", name=re.compile("left before saving")).wait_for()

    press("1", "4", "0", "Tab", "7", "Enter")
    expected.append({"origin": "real", "sure": 40, "size": 7})
    page.get_by_text("All 3 cases are read").wait_for()

    stored = json.loads(reader.tab.site.python("-c", STORED).strip().splitlines()[-1])
    check_stored(stored, expected, mark, slot)


def check_stored(
    stored: dict[str, Any], expected: list[dict[str, Any]], mark: str, slot: dict[str, Any]
) -> None:
    rows = stored["rows"]
    assert stored["broken"] == []
    assert {row["outcome"] for row in rows} == {"accepted"}
    kept = [{code: v for code, v in row["kept"].items() if code != "spot"} for row in rows]
    assert kept == expected, "as typed, in the order of typing, each once"
    assert [(row["stage"], row["arm"]) for row in rows] == [
        (1, "plain"),
        (2, "aided"),
        (2, "aided"),
        (1, "plain"),
        (2, "aided"),
        (1, "plain"),
        (2, "aided"),
    ]
    assert rows[2]["corrects"] == rows[1]["id"]
    assert [row["corrects"] for row in rows].count(None) == stored["readings"] == 6
    assert [row["position"] for row in rows if row["corrects"] is None] == [1, 2, 3, 4, 5, 6]
    assert [i for i, row in enumerate(rows) if "spot" in row["kept"]] == [0, 4]
    check_place(rows[0]["kept"]["spot"], mark, slot)
    seen = [bool(row["viewer"].get("t1c", {}).get("slices_seen")) for row in rows]
    assert seen == [False, True, True, False, False, False, False]
    for row in rows:
        check_clock(row["clock"], row["viewer"])


def check_place(region: dict[str, Any], mark: str, slot: dict[str, Any]) -> None:
    """The place lies in a voxel of the slice that the page named."""
    assert (region["kind"], region["role"], region["plane"]) == ("point", "t1", "axial")
    x, y, z = region["points_mm"][0]
    shown = int(re.search(r"slice (\d+)", mark)[1])
    (left, front, foot), (thick, row, column) = slot["origin_mm"], slot["spacing_mm"]
    assert z == pytest.approx(foot + thick * (shown - 1))
    assert 0 <= (x - left) / column < slot["shape"][2]
    assert 0 <= (y - front) / row < slot["shape"][1]


def check_clock(clock: dict[str, Any], viewer: dict[str, Any]) -> None:
    """The times are the raw events divided by the published rule."""
    assert clock["rule"] == "reading-times/3"
    events = [event[:2] for event in clock["events"]]
    assert events == sorted(events, key=lambda event: event[0])
    assert {"loaded", "input"} <= {what for _, what in events}
    shown, saved = (datetime.fromisoformat(clock[f"{at}_at"]) for at in ("shown", "submitted"))
    told = {part: clock[f"{part}_ms"] for part in ("load", "look", "idle", "away")}
    assert divided(events, (saved - shown) / timedelta(milliseconds=1)) == pytest.approx(
        told, abs=5
    )
    assert told["look"] > 0
    assert viewer["t1"]["slices_seen"]
    assert viewer["t1"]["window"]["width"] > 0
    assert viewer["t1"]["zoom"] > 0


def divided(events: list[list[Any]], end: float) -> dict[str, float]:
    """Divide a reading by its raw events, as docs/how-to/reading-times.md says."""
    times = dict.fromkeys(("load", "look", "idle", "away", "nothing"), 0.0)
    on: set[str] = set()
    before = 0.0
    for at, what in [*events, [end, "end"]]:
        times[part_of(on)] += at - before
        before = at
        on = after(what, on)
    del times["nothing"]
    return times


def part_of(on: set[str]) -> str:
    if on & {"pause", "saved"}:
        return "nothing"
    if on & {"hidden", "blur", "closed"}:
        return "away"
    if "loaded" not in on:
        return "load"
    return "idle" if "idle" in on else "look"


def after(what: str, on: set[str]) -> set[str]:
    if what in ("opened", "undone"):
        return set()
    ends = {"active": {"idle"}, "back": {"hidden", "blur"}, "resume": {"pause"}}
    if what in ends:
        return on - ends[what]
    begins = {"pause", "saved", "hidden", "blur", "closed"}
    return (on - {"idle"} if what in begins else on) | {what}
