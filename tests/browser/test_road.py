"""The main job as its people do it: design, invite, read with the keyboard, close, see results.

The steps build on each other and run in this order, in one browser, against a real server.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.reader import accept_invitation, pane_is_shown

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
READERS = (("Dr A. Moreau", "moreau@example.org"), ("Dr S. Tanaka", "tanaka@example.org"))
STUDY = "Turing test of the T1c network"


def remember(notes, **values) -> None:
    notes.write_text(json.dumps({**json.loads(notes.read_text()), **values}))


def recall(notes, name):
    found = json.loads(notes.read_text()).get(name)
    if found is None:
        pytest.skip("an earlier step of the road did not finish")
    return found


def test_a_coordinator_designs_a_study_invites_readers_and_launches(tab, site, notes):
    person = tab()
    page = person.page
    person.sign_in("coordinator")
    page.get_by_role("link", name="New study").click()
    page.locator('input[value="visual-turing-test"]').check()
    page.get_by_label(re.compile("^Name")).fill(STUDY)
    page.get_by_role("textbox", name="Title for readers").fill("Brain MR reading A")
    page.locator("main form button").first.click()
    page.wait_for_url(re.compile(r"/staff/studies/[0-9a-f-]{36}/$"))
    study = page.url.removeprefix(site.url)

    person.go(f"{study}cases/")
    page.get_by_label("Real cases").fill("4")
    page.get_by_label(re.compile("^Synthetic cases$")).fill("9")
    page.get_by_role("button", name="Draw cases").click()
    assert "You asked for 9 synthetic cases, but only 4 can be used" in page.content()
    assert page.get_by_label("Real cases").input_value() == "4", "what was typed is kept"
    page.get_by_label(re.compile("^Synthetic cases$")).fill("4")
    page.get_by_role("button", name="Draw cases").click()
    page.get_by_text("8 cases").first.wait_for()

    links = []
    for name, email in READERS:
        person.go(f"{study}readers/")
        page.get_by_label(re.compile("^Name")).fill(name)
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Years").fill("9")
        page.get_by_role("button", name="Invite").click()
        links.append(page.locator("#invitation-link").inner_text())

    person.go(f"{study}launch/")
    page.get_by_role("button", name="Lock protocol").click()
    person.confirm()
    launch = page.get_by_role("button", name="Launch study")
    for _ in range(240):
        if launch.count() and launch.is_enabled():
            break
        time.sleep(0.5)
    launch.click()
    person.confirm()
    page.wait_for_url(site.url + study)
    page.get_by_text("of 16 reads").wait_for()
    remember(notes, study=study, links=links)


def open_reading(person, link: str, email: str) -> None:
    """Accept the invitation and come to the instructions."""
    accept_invitation(person, link, email)
    person.open_reading("Begin")
    person.page.get_by_text("You will see brain MR images").wait_for()


def arrive(page) -> None:
    """Come to the case, past the instructions where they are shown again."""
    start = page.get_by_text("You will see brain MR images")
    start.or_(page.get_by_text(re.compile(r"Case \d+ of 8"))).first.wait_for()
    if start.is_visible():
        page.keyboard.press("Enter")
    pane_is_shown(page)


def case_number(page) -> int:
    text = page.get_by_text(re.compile(r"Case \d+ of 8")).first.inner_text()
    return int(re.search(r"Case (\d+)", text)[1])


def wait_for_case(page, number: int) -> None:
    page.get_by_text(f"Case {number} of 8").first.wait_for()
    pane_is_shown(page)


def choose(page, question: str, code: str) -> None:
    page.locator(f'input[name="{question}"][value="{code}"]').click()


def test_a_reader_reads_with_the_keyboard_alone_and_loses_nothing(tab, site, notes):
    links = recall(notes, "links")
    person = tab()
    page, keys = person.page, person.page.keyboard
    open_reading(person, links[0], READERS[0][1])
    keys.press("Enter")
    pane_is_shown(page)
    given = []

    # Case 1: slices by key, answers by digit, Enter saves.
    slice_text = page.get_by_text(re.compile(r"^\d+ / \d+$")).first
    before = slice_text.inner_text()
    keys.press("ArrowUp")
    expect(slice_text).not_to_have_text(before)
    keys.press("Enter")
    assert case_number(page) == 1, "an incomplete case is not saved"
    keys.press("2")
    keys.press("4")
    keys.press("5")
    person.picture("reading")
    keys.press("Enter")
    given.append("synthetic")
    wait_for_case(page, 2)
    page.get_by_text("Saved").first.wait_for()

    # Case 2: a reload in the middle keeps the half-filled form.
    keys.press("1")
    time.sleep(1.5)
    page.reload()
    arrive(page)
    wait_for_case(page, 2)
    keys.press("3")
    keys.press("Enter")
    given.append("real")
    wait_for_case(page, 3)

    # Case 3: two quick Enters are one submission.
    keys.press("2")
    keys.press("5")
    keys.press("Enter")
    keys.press("Enter")
    given.append("synthetic")
    wait_for_case(page, 4)
    time.sleep(0.5)
    assert case_number(page) == 4

    # Undo within the grace time, answer anew: a correction.
    keys.press("u")
    wait_for_case(page, 3)
    keys.press("Shift+Tab")
    keys.press("Shift+Tab")
    page.get_by_text("Is this image real or synthetic?").first.wait_for()
    choose(page, "origin", "real")
    keys.press("Enter")
    given[2] = "real"
    wait_for_case(page, 4)

    # Pause, leave, come back at the exact case.
    keys.press("p")
    page.get_by_text("Paused at case 4").wait_for()
    person.go("/")
    page.get_by_text("3 of 8 read").wait_for()
    person.open_reading("Continue at case 4")
    arrive(page)
    wait_for_case(page, 4)

    # The server dies; the answer waits on this computer and arrives after it is back.
    site.kill("web")
    keys.press("1")
    keys.press("2")
    keys.press("Enter")
    given.append("real")
    page.get_by_text("waiting").first.wait_for()
    site.start_web()
    page.get_by_text("Saved").first.wait_for(timeout=40_000)
    wait_for_case(page, 5)

    while (number := case_number(page)) <= 8:
        pane_is_shown(page)
        keys.press("2" if number % 2 else "1")
        keys.press("4")
        given.append("synthetic" if number % 2 else "real")
        keys.press("Enter")
        if number == 8:
            break
        wait_for_case(page, number + 1)
    page.get_by_text("All 8 cases are read").wait_for()
    remember(notes, given=given)


def test_a_second_reader_reads_with_the_mouse(tab, notes):
    links = recall(notes, "links")
    person = tab()
    page = person.page
    open_reading(person, links[1], READERS[1][1])
    page.get_by_role("button", name=re.compile("Begin")).click()
    pane_is_shown(page)
    box = page.locator("canvas").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    window = page.get_by_text(re.compile(r"^W \d+")).first
    before = window.inner_text()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 80, box["y"] + box["height"] / 2 + 40, steps=5)
    page.mouse.up()
    expect(window, "left drag changes the window").not_to_have_text(before)
    slices = page.get_by_text(re.compile(r"^\d+ / \d+$")).first
    shown = slices.inner_text()
    page.mouse.wheel(0, 100)
    expect(slices, "the wheel changes the slice").not_to_have_text(shown)
    for number in range(1, 9):
        wait_for_case(page, number)
        pane_is_shown(page)
        choose(page, "origin", "real" if number <= 4 else "synthetic")
        choose(page, "confidence", "3")
        page.get_by_role("button", name=re.compile("Save and (next case|finish)")).click()
    page.get_by_text("All 8 cases are read").wait_for()


def test_closing_unblinding_results_and_export(tab, site, notes):
    study, given = recall(notes, "study"), recall(notes, "given")
    person = tab()
    page = person.page
    person.sign_in("coordinator")
    person.go(study)
    page.get_by_text("16 of 16 reads").wait_for()
    person.go(f"{study}close/")
    page.get_by_label("Reason").fill("All cases were read.")
    page.get_by_role("button", name="Close reading").click()
    person.confirm()
    page.wait_for_url(site.url + study)
    person.go(f"{study}unblind/")
    page.get_by_label("Name of the study").fill(STUDY)
    page.get_by_label("Reason").fill("Planned end of the study.")
    page.get_by_role("button", name="Unblind").click()
    person.confirm()
    page.wait_for_load_state("networkidle")
    person.go(f"{study}results/")
    page.get_by_text("Readers told real from synthetic in").wait_for()
    page.wait_for_load_state("networkidle")
    page.locator(".figure-live svg").first.wait_for()
    person.picture("results")

    zipped = page.get_by_role("link", name="ZIP", exact=True)
    zipped.wait_for(timeout=120_000)  # the page comes again when the report is written
    with page.expect_download() as download:
        zipped.click()
    archive = zipfile.ZipFile(download.value.path())
    rows = list(csv.DictReader(io.StringIO(archive.read("reads_wide.csv").decode())))
    assert len(rows) == 16
    first = [r for r in rows if r["reader"] == "R1"]
    first.sort(key=lambda row: int(row["position"]))
    assert [row["answer_origin"] for row in first] == given, "the export holds what was pressed"
    assert first[2]["corrections"] == "1"
    results = json.loads(archive.read("results.json"))["results"]
    right = sum(row["answer_origin"] == row["origin"] for row in first)
    section = next(one for one in results["sections"] if one["code"] == "turing_accuracy")
    readers = next(block for block in section["blocks"] if block["code"] == "readers")
    assert readers["rows"][0]["cells"]["correct"]["value"] == right / 8
    assert results["facts"][1].startswith("Missing 0")
