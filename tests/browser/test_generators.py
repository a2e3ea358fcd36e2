"""The road of a generator without a shell: train, watch, draw, score, show it blinded to a reader.

The steps build on each other and run in this order, against a real server with a real worker.
Everything is of toy size: what is tested is the road, not the images.
"""

from __future__ import annotations

import json
import re
import time
import zipfile
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, Tab, new_site
from tests.browser.reader import accept_invitation

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
PRESET = "han2018-dcgan-t1-128"
TOY = {
    "max_steps": 40,
    "batch": 4,
    "validations": 4,
    "checkpoint_every": 10,
    "report_every": 5,
    "size": 32,
    "width": 4,
    "threads": 1,
    "scored": 8,
    "validation_fraction": 0.34,
}
READER = ("Dr R. Toy", "toy@example.org")
LONG_MS = 60_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = new_site(tmp_path_factory.mktemp("bench"))
    made.python(str(ROOT / "tests/browser/prepare_generators.py"), str(made.var))
    made.start_web()
    queues = ("-c", "1", "-Q", "default,gpu")
    made.start("worker", "celery", "-A", "readerstudy.celery", "worker", *queues)
    yield made
    for name in list(made.processes):
        made.kill(name)


@pytest.fixture
def coordinator(chromium, bench):
    tab = Tab(chromium, bench)
    tab.page.set_default_timeout(LONG_MS)
    tab.sign_in("coordinator")
    yield tab
    tab.close()


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """What one step of the road leaves for the next."""
    return {}


def recall(known: dict[str, Any], name: str) -> Any:
    if name not in known:
        pytest.skip("an earlier step of the road did not finish")
    return known[name]


def order(person: Tab, name: str, **changes: Any) -> None:
    """Order a training on its page, as a person does."""
    page = person.page
    person.go("/staff/generators/")
    page.get_by_role("link", name="Train a network").first.click()
    page.get_by_role("link", name=re.compile(rf"Choose {PRESET}$")).click()
    page.get_by_label("Name of the run").fill(name)
    page.locator("summary").filter(has_text="All other settings").click()
    for setting, value in {**TOY, **changes}.items():
        page.locator(f'[name="set_{setting}"]').fill(str(value))
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(re.compile("/trainings/"))


def is_drawn(page: Any, selector: str) -> bool:
    page.wait_for_load_state("networkidle")
    widths = page.locator(selector).evaluate_all("all => all.map(one => one.naturalWidth)")
    return bool(widths) and min(widths) > 30


def test_a_network_is_trained_from_its_page_and_watched(coordinator, known):
    page = coordinator.page
    order(coordinator, "toy-gan")
    page.get_by_role("link", name="Open the generator").wait_for()
    expect(page.get_by_role("heading", name="FID over training")).to_be_visible()
    expect(page.get_by_text("random-encoder")).to_be_visible()
    expect(page.locator("dl.figure-strip")).to_contain_text("40 of 40 steps")
    assert is_drawn(page, "img.figure:visible, img.sample-sheet")
    steps = page.locator("section", has_text="Validations").locator("tbody th[scope=row]")
    told = [re.match(r"\d+", one.strip()) for one in steps.all_text_contents()]
    assert [int(one[0]) for one in told if one][:4] == [40, 30, 20, 10]
    coordinator.picture("training")

    page.get_by_role("button", name="Register the network of step 20").click()
    row = page.get_by_role("row", name=re.compile("^20 "))
    row.get_by_role("link", name="generator").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Whole run, ZIP").click()
    archive = zipfile.ZipFile(download.value.path())
    names = set(archive.namelist())
    wanted = {"weights.safetensors", "model_card.json", "loss.svg", "samples.png", "log.csv"}
    assert wanted <= names
    assert "snapshots/0000020/weights.safetensors" in names
    assert "phantom" not in archive.read("subjects.json").decode(), "no names of folders"
    page.get_by_role("link", name="Open the generator").click()
    page.wait_for_url(re.compile(r"/generators/[0-9a-f-]{36}/$"))
    known["generator"] = page.url


def test_a_run_is_stopped_goes_on_and_a_fault_is_told_in_words(coordinator):
    page = coordinator.page
    order(coordinator, "toy-long", max_steps=1_000_000, validations=1)
    for _ in range(2):
        expect(page.locator("dl.figure-strip")).to_contain_text("Training,", timeout=LONG_MS)
        page.get_by_role("button", name="Stop after this step").click()
        coordinator.confirm()
        page.get_by_text("Stopped at step").wait_for()
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("button", name="Stop after this step").wait_for()
    page.get_by_role("button", name="Stop after this step").click()
    coordinator.confirm()
    page.get_by_role("button", name="Go on").wait_for()

    order(coordinator, "toy-fault", extractor="not-there")
    page.get_by_text("Stopped by a fault").wait_for()
    expect(page.get_by_text("There is no extractor 'not-there'")).to_be_visible()
    page.get_by_role("link", name="a new run with these settings").click()
    page.locator("summary").filter(has_text="All other settings").click()
    expect(page.locator('[name="set_extractor"]')).to_have_value("not-there")


def test_images_are_drawn_scored_and_held_against_real_slices(coordinator, known):
    page = coordinator.page
    page.goto(recall(known, "generator"))
    page.locator("#slices").get_by_label("Number of slices").fill("8")
    page.get_by_role("button", name="Cut and register").click()
    page.wait_for_load_state()
    page.locator("#draw").get_by_label("Number of images").fill("8")
    page.get_by_role("button", name="Draw and register").click()
    page.get_by_role("link", name="Look at the images").click()
    page.wait_for_url(re.compile("/runs/"))
    known["run"] = page.url.rstrip("/").rsplit("/", 1)[1]
    assert page.locator(".image-grid > li").count() == 8
    assert is_drawn(page, ".image-grid img")
    coordinator.picture("drawn")

    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_text("8 synthetic and 8 acquired images went through one path").wait_for()
    page.get_by_role("link", name="Scores").click()
    page.get_by_label("Scores of the whole set").select_option("random-encoder")
    page.get_by_role("button", name="Score", exact=True).click()
    page.get_by_role("row", name=re.compile("^FID sets.1 random-encoder")).first.wait_for()
    page.get_by_role("link", name="Copies of training images").click()
    page.get_by_role("columnheader", name="Nearest training slice").first.wait_for()
    coordinator.go("/staff/generators/scores/")
    expect(page.get_by_role("heading", name="FID within trainings")).to_be_visible()
    assert is_drawn(page, "img.figure")
    with page.expect_download() as download:
        page.get_by_role("link", name="Over training, CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert sum(line.startswith("toy-gan,") for line in lines) == 2 * 4  # FID and KID


def test_they_stand_among_real_slices_in_a_blinded_study(coordinator, chromium, bench, known):
    run = recall(known, "run")
    page = coordinator.page
    coordinator.go("/staff/studies/new/")
    page.locator('input[value="visual-turing-test"]').check()
    page.get_by_label(re.compile("^Name")).fill("Turing test of the toy")
    page.get_by_role("button", name="Create draft").click()
    page.wait_for_url(re.compile(r"/staff/studies/[0-9a-f-]{36}/$"))
    study = page.url.removeprefix(bench.url)
    coordinator.go(f"{study}display/")
    page.locator("#id_role_1").select_option("t1")
    page.locator("#id_label_1").fill("T1")
    page.locator("#id_plane_1").select_option("sagittal")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(bench.url + study)
    coordinator.go(f"{study}cases/")
    page.get_by_label("Real cases").fill("3")
    page.get_by_label(re.compile("^Synthetic cases$")).fill("3")
    page.get_by_label(re.compile("^Synthetic cases of")).select_option(run)
    page.get_by_role("button", name="Draw cases").click()
    page.get_by_text("6 cases").first.wait_for()
    coordinator.go(f"{study}readers/")
    page.get_by_label(re.compile("^Name")).fill(READER[0])
    page.get_by_label("E-mail").fill(READER[1])
    page.get_by_label("Years").fill("4")
    page.get_by_role("button", name="Invite").click()
    link = page.locator("#invitation-link").inner_text()
    coordinator.go(f"{study}launch/")
    page.get_by_role("button", name="Lock protocol").click()
    coordinator.confirm()
    launch = page.get_by_role("button", name="Launch study")
    expect(launch).to_be_enabled(timeout=LONG_MS)
    launch.click()
    coordinator.confirm()
    page.wait_for_url(bench.url + study)

    coordinator.go(f"/staff/generators/runs/{run}/")
    expect(page.get_by_text("images not shown")).to_be_visible()
    read_one_case(Tab(chromium, bench), link)


def read_one_case(reader: Tab, link: str) -> None:
    page = reader.page
    page.set_default_timeout(LONG_MS)
    accept_invitation(reader, link, READER[1])
    reader.open_reading("Begin")
    page.get_by_text("You will see brain MR images").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Case 1 of 6").wait_for()
    page.locator(".panes:not([aria-busy])").wait_for()
    time.sleep(1)
    told = page.content()
    assert "dcgan" not in told.lower()
    assert "toy" not in json.dumps(page.title())
    page.keyboard.press("1")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    page.get_by_text("Case 2 of 6").wait_for()
    reader.close()
