"""Uploading a folder in a browser, through a lost connection and a reload, to the cases."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.imaging.factories import write_nifti

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
PART = 4 * 2**20


def scan(folder: Path, seed: int, shape=(20, 24, 8), name: str = "t1.nii") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(seed).integers(0, 900, shape).astype("int16")
    return write_nifti(folder / name, array)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three sound scans, one of several parts, a broken one, and what systems leave behind."""
    root = tmp_path / "Site B"
    scan(root / "case-1", 1)
    scan(root / "case-2", 2, name="flair.nii")
    scan(root / "case-3", 3, shape=(256, 256, 80))
    broken = scan(root / "case-4", 4)
    broken.write_bytes(broken.read_bytes()[:900])
    (root / ".DS_Store").write_bytes(b"x")
    return root


def test_a_folder_is_uploaded_through_a_lost_connection_and_a_reload(tab, folder):
    person = tab()
    page = person.page
    person.sign_in("coordinator")
    page.get_by_role("link", name="Cases").click()
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_role("link", name="Upload").click()
    start = page.get_by_role("button", name="Start import")
    expect(start).to_be_disabled()
    expect(page.get_by_text("Choose files first.")).to_be_visible()

    sent: list[int] = []

    def lose_the_second_part(route) -> None:
        offset = int(route.request.headers["upload-offset"])
        sent.append(offset)
        if offset == PART and sent.count(PART) <= 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    parts = re.compile(r"/api/staff/imports/[^/]+/files/[^/]+/$")
    page.route(parts, lose_the_second_part)
    page.locator("input[webkitdirectory]").set_input_files(str(folder))
    expect(page.get_by_text("Trying again by itself")).to_be_visible()
    expect(start).to_be_disabled()
    expect(page.get_by_text("3 of 4 files")).to_be_visible()
    expect(page.get_by_text("1 system file left out")).to_be_visible()
    person.picture("upload-lost")

    page.reload()  # while one file is half there
    page.unroute(parts)
    expect(page.get_by_text("3 of 4 files have come")).to_be_visible()
    again: list[int] = []
    page.on(
        "request",
        lambda one: (
            again.append(int(one.headers["upload-offset"])) if one.method == "PUT" else None
        ),
    )
    page.locator("input[webkitdirectory]").set_input_files(str(folder))
    expect(page.get_by_text(re.compile(r"^4 of 4 files"))).to_be_visible()
    assert again == [PART, 2 * PART], "what had come is not sent again"

    page.get_by_label("Source").fill("Site B")
    expect(page.get_by_label(re.compile("^Generator"))).to_be_hidden()
    start.click()
    expect(page.get_by_text("Imported 3, refused 1")).to_be_visible(timeout=60_000)
    row = page.get_by_role("row").filter(has_text="Site B/case-4/t1.nii")
    expect(row).to_contain_text("Refused")
    person.picture("import-result")

    page.get_by_role("button", name="Close this import").click()
    person.confirm()
    expect(page.get_by_text("the names of the source were removed")).to_be_visible()
    assert "case-4" not in page.content()
    page.get_by_role("link", name="To the cases").click()
    expect(page.get_by_text(re.compile("last import .* 3 ok, 1 failed"))).to_be_visible()


def test_a_dropped_folder_is_read_with_all_that_is_in_it(tab):
    person = tab()
    page = person.page
    person.sign_in("coordinator")
    person.go("/staff/imports/new/")
    page.evaluate(
        """() => {
            const file = (name) => ({
                isFile: true, isDirectory: false, name,
                file: (done) => done(new File(["x"], name)),
            });
            const folder = (name, children) => ({
                isFile: false, isDirectory: true, name,
                createReader: () => {
                    let left = children;
                    return { readEntries: (done) => { done(left.splice(0, 100)); } };
                },
            });
            const many = Array.from({ length: 250 }, (_, index) => file(`${index}.dcm`));
            const entry = folder("root", [folder("case-1", many), file("<i>note</i>.txt")]);
            const transfer = { items: [{ kind: "file", webkitGetAsEntry: () => entry }] };
            const event = new Event("drop", { bubbles: true, cancelable: true });
            Object.defineProperty(event, "dataTransfer", { value: transfer });
            document.querySelector("[data-upload-drop]").dispatchEvent(event);
        }"""
    )
    expect(page.get_by_text("251 of 251 files")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("and 191 more files")).to_be_visible()
    page.get_by_role("button", name="Cancel this upload").click()
    expect(page.get_by_text("Cancelled before its start")).to_be_visible()
