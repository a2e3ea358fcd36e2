"""What a reader does in the browser, for every test in which somebody reads."""

from __future__ import annotations

import re
import time

READER_PASSWORD = "a quiet dim reading room"
SETTLED_S = 0.6  # an Enter within half a second after a case opens is taken for the one before


def accept_invitation(person, link: str, email: str) -> None:
    """Choose a password, sign in and say what reports need to know; ends at the start page."""
    page = person.page
    page.goto(link.replace(link.split("/invitation/", maxsplit=1)[0], person.site.url))
    for number in (0, 1):
        page.locator("input[type=password]").nth(number).fill(READER_PASSWORD)
    page.get_by_role("button", name="Set password").click()
    if "/sign-in/" in page.url:
        person.sign_in(email, READER_PASSWORD)
    page.get_by_label("Subspecialty").fill("Neuroradiology")
    page.get_by_label("Years of experience").fill("9")
    page.get_by_label("Institution").select_option("university")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Your profile is saved").wait_for()


def pane_is_shown(page) -> None:
    """Wait until slices of the case are on screen and keys are meant for it."""
    page.get_by_text(re.compile(r"^\d+ / \d+$")).first.wait_for()
    page.locator(".panes:not([aria-busy])").wait_for()
    time.sleep(SETTLED_S)
