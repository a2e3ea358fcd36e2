"""The panes in a real browser: places, values, measures, habits, lost graphics, strict policy."""

from __future__ import annotations

import random
import re
import shutil
import subprocess

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.viewer_page import STATIC, Mock, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
# The ball of dev/phantom.mjs: left, anterior, superior, in LPS mm, brighter than all else.
MARKER = np.array([42.0, -38.0, 52.0])
LETTERS = {
    "axial": ("A", "P", "R", "L"),
    "coronal": ("S", "I", "R", "L"),
    "sagittal": ("S", "I", "A", "P"),
}
# Direction of a step to the right and downwards on the screen, by plane, in LPS.
RIGHT = {"axial": (1, 0, 0), "coronal": (1, 0, 0), "sagittal": (0, 1, 0)}
DOWN = {"axial": (0, 1, 0), "coronal": (0, 0, -1), "sagittal": (0, 0, -1)}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """The page as its sources are now, built aside."""
    if shutil.which("node") is None or not (STATIC / "node_modules/vite").exists():
        pytest.skip("Node packages are not installed: run make setup")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        ["node_modules/.bin/vite", "build", "--outDir", str(folder), "--logLevel", "error"],
        cwd=STATIC,
        check=True,
    )
    return folder


@pytest.fixture
def reading(chromium, dist):
    """Open a layout of the mock server; what the console complained about fails the test."""
    opened: list[Page] = []

    def start(layout: str, **context) -> Page:
        opened.append(Page(chromium, Mock(layout, dist), **context))
        return opened[-1]

    yield start
    for page in opened:
        page.context.close()
        page.mock.stop()
        assert page.complaints == []


def bright_spot(page: Page, number: int) -> np.ndarray:
    """Centre of the brightest part of a pane, from its middle, in CSS pixels."""
    box = page.box(number)
    screen = page.grey()
    x, y, w, h = (round(box[name]) for name in ("x", "y", "width", "height"))
    part = screen[y : y + h, x : x + w].min(axis=2).astype(int)
    rows, columns = np.nonzero(part >= 250)
    return np.array([columns.mean() + 0.5 - w / 2, rows.mean() + 0.5 - h / 2])


def hide_words(page: Page) -> None:
    """Leave only the images on screen."""
    page.page.evaluate(
        "() => document.querySelectorAll('.pane__text, .pane__letter, .scale-bar,"
        " .slice-track, .pane__marks, .pane__labels').forEach(e => e.remove())"
    )


def test_a_marker_lies_where_the_letters_say_in_every_plane_and_grid(reading):
    page = reading("mixed").read()
    slots = page.mock.state()["forms"][0]["layout"]["slots"]
    for number, slot in enumerate(slots):
        found = [
            page.pane(number).locator(f".pane__letter--{side}").inner_text()
            for side in ("top", "bottom", "left", "right")
        ]
        assert tuple(found) == LETTERS[slot["plane"]], slot["role"]
    for slot, number in ((slots[0], 0), (slots[2], 2), (slots[3], 3)):
        axis = {"axial": 2, "coronal": 1, "sagittal": 0}[slot["plane"]]
        wanted = round((MARKER[axis] - slot["origin_mm"][axis]) / slot["spacing_mm"][0]) + 1
        page.pane(number).focus()
        page.go_to(wanted, number)
    thick = slots[1]
    nearest = round((MARKER[2] - thick["origin_mm"][2]) / thick["spacing_mm"][0]) + 1
    assert abs(page.slice_shown(1) - nearest) <= 1, "linked by position, not by number"
    for number in (0, 1, 2, 3):
        page.pane(number).focus()
        page.press("Shift+Digit4")  # a window that only the marker exceeds
    scales = [page.scale(number, 1) for number in (0, 1, 2, 3)]
    assert np.allclose(scales, scales[0]), "one scale in px/mm for all panes"
    centre = centre_of(slots)
    hide_words(page)
    for number in (0, 1, 2, 3):
        plane = slots[number]["plane"]
        away = MARKER - centre
        expected = np.array([away @ RIGHT[plane], away @ DOWN[plane]]) * scales[0]
        assert np.abs(bright_spot(page, number) - expected).max() < 2 * scales[0], plane


def middle(page: Page, number: int) -> tuple[float, float]:
    box = page.box(number)
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def centre_of(slots) -> np.ndarray:
    """Middle of the box around all grids, which the panes show first."""
    axes = {"axial": (2, 1, 0), "coronal": (1, 2, 0), "sagittal": (0, 2, 1)}
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for slot in slots:
        for number, axis in enumerate(axes[slot["plane"]]):
            sign = -1 if axis == 2 and slot["plane"] != "axial" else 1
            first = slot["origin_mm"][axis]
            last = first + sign * (slot["shape"][number] - 1) * slot["spacing_mm"][number]
            half = slot["spacing_mm"][number] / 2
            low[axis] = min(low[axis], first - half, last - half)
            high[axis] = max(high[axis], first + half, last + half)
    return (low + high) / 2


def test_three_planes_meet_at_one_position_and_follow_the_crosshair(reading):
    page = reading("single").read()
    page.press("a")
    planes = [page.text("role", number).split("\n")[1].split(",")[0] for number in range(3)]
    assert planes == ["Axial", "Coronal", "Sagittal"]
    scale = page.scale(0, 1)
    before = [page.slice_shown(number) for number in range(3)]
    x, y = middle(page, 0)
    page.drag((x, y), (x + 10 * scale, y - 20 * scale))
    after = [page.slice_shown(number) for number in range(3)]
    # 10 mm to the left of the patient are 10 sagittal slices on; 20 mm to anterior 20 back.
    assert after[0] == before[0]
    assert after[1] - before[1] == pytest.approx(-20, abs=1)
    assert after[2] - before[2] == pytest.approx(10, abs=1)
    # Voxels of 2 x 1 x 1 mm keep their proportions: the head is 196 by 156 mm from the side.
    hide_words(page)
    box = page.box(2)
    side = page.grey()[
        round(box["y"]) + 2 : round(box["y"] + box["height"]) - 2,
        round(box["x"]) + 2 : round(box["x"] + box["width"]) - 2,
    ].max(axis=2)
    rows, columns = np.nonzero(side > 40)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(196 / 156, rel=0.06)


def test_the_value_at_the_cursor_is_exact_at_20_random_voxels_of_each_image(reading):
    page = reading("map").read()
    slots = page.mock.state()["forms"][0]["layout"]["slots"]
    volumes = [page.mock.volume(slot["role"]) for slot in slots]
    scale = page.scale(0, 1)
    centre = centre_of(slots)
    draw = random.Random(7)
    for _ in range(20):
        index = (draw.randrange(30, 50), draw.randrange(40, 180), draw.randrange(40, 140))
        page.go_to(index[0] + 1)
        away = volumes[0].position(index) - centre
        x, y = middle(page, 0)
        page.page.mouse.move(x + away[0] * scale, y + away[1] * scale)
        page.settle()
        level = volumes[0].array[index]
        assert page.text("slice", 0).split("\n")[1] == str(level)
        # The other pane shows its own value at the same place, in its unit.
        shown = page.text("slice", 1).split("\n")[1]
        value = slots[1]["value"]["slope"] * volumes[1].array[index]
        decimals = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
        assert shown == f"{value:.{decimals}f}\u202fmL/100 g"


def inside_ellipse(volume, index: int, corner: np.ndarray, opposite: np.ndarray) -> np.ndarray:
    """Levels of the voxel centres inside the ellipse between two corners of an axial slice."""
    slot = volume.slot
    rows, columns = np.mgrid[0 : slot["shape"][1], 0 : slot["shape"][2]]
    x = slot["origin_mm"][0] + columns * slot["spacing_mm"][2]
    y = slot["origin_mm"][1] + rows * slot["spacing_mm"][1]
    middle_, half = (corner + opposite) / 2, np.abs(opposite - corner) / 2
    inside = ((x - middle_[0]) / half[0]) ** 2 + ((y - middle_[1]) / half[1]) ** 2 <= 1
    return volume.array[index][inside].astype(float)


def test_places_drawn_as_answers_equal_numpy_and_travel_with_the_submission(reading):
    page = reading("map").read()
    keys = page.page.keyboard
    x, y = middle(page, 0)
    page.drag((x - 60, y - 30), (x + 40, y + 50))
    x, y = middle(page, 1)
    page.drag((x - 50, y - 70), (x + 61, y + 43))
    page.page.mouse.click(x + 20, y + 90)
    page.settle()
    page.page.get_by_text("Largest diameter").wait_for()
    shown = page.page.locator(".region__text").all_inner_texts()
    assert re.fullmatch(r"[\d.]+ mm on slice 41, T1 after contrast", shown[0])
    keys.press("1")
    page.page.reload()
    page.page.locator(".region.is-set").nth(2).wait_for()
    assert page.page.locator(".region__text").all_inner_texts() == shown, "drafts keep them"
    slot = page.mock.state()["forms"][0]["layout"]["slots"][1]
    cbv = page.mock.volume("cbv")
    page.page.get_by_text("Save and next case").wait_for()
    page.page.wait_for_timeout(600)  # an Enter right after a case opens was meant for another
    keys.press("Enter")
    page.page.get_by_text("Case 2 of").wait_for()
    page.page.get_by_text(re.compile("^Saved")).first.wait_for()
    sent = page.sent()
    length = sent["answers"]["diameter"]["region"]
    ends = np.array(length["points_mm"])
    assert length["measured"]["length_mm"] == pytest.approx(np.linalg.norm(ends[1] - ends[0]))
    region = sent["answers"]["perfusion"]["region"]
    assert (region["role"], region["plane"], region["kind"]) == ("cbv", "axial", "ellipse")
    corner, opposite = (np.array(point[:2]) for point in region["points_mm"])
    values = slot["value"]["slope"] * inside_ellipse(cbv, 40, corner, opposite)
    assert region["measured"]["n"] == len(values)
    assert region["measured"]["mean"] == pytest.approx(values.mean(), rel=1e-9)
    assert region["measured"]["sd"] == pytest.approx(values.std(), rel=1e-9)
    area = np.pi * np.prod(np.abs(opposite - corner)) / 4
    assert region["measured"]["area_mm2"] == pytest.approx(area)
    assert sent["answers"]["centre"]["region"]["points_mm"][0][2] == 21.0
    assert sent["viewer"]["hanging"] == "1x2"
    assert sent["viewer"]["timings"]["first_ms"] >= 0
    assert sent["viewer"]["context_lost"] == 0


def test_a_place_can_be_given_with_the_keys_alone_and_cleared(reading):
    page = reading("map").read()
    page.press("Space", "ArrowRight", "ArrowRight", "Enter")
    page.press(*["Shift+ArrowDown"] * 3, "Enter")
    text = page.page.locator(".region__text").first
    expect(text).to_have_text(re.compile(r"^30\.0 mm on slice 41"))
    page.page.get_by_role("button", name="Clear").first.click()
    expect(text).to_have_text(re.compile("^Draw the length"))
    expect(page.pane(0).locator(".measure")).to_have_count(0)


def lose_context(page: Page) -> None:
    page.page.evaluate("() => window.lostContexts.forEach(lose => lose())")


CATCH_CONTEXTS = """
window.lostContexts = [];
for (const kind of [HTMLCanvasElement, OffscreenCanvas]) {
  const get = kind.prototype.getContext;
  kind.prototype.getContext = function (name, ...rest) {
    const context = get.call(this, name, ...rest);
    if (context && String(name).startsWith("webgl")) {
      const extension = context.getExtension("WEBGL_lose_context");
      window.lostContexts.push(() => extension && extension.loseContext());
    }
    return context;
  };
}
"""


def test_lost_graphics_come_back_with_form_slice_window_and_measures(reading):
    page = reading("quad")
    page.context.add_init_script(CATCH_CONTEXTS)
    page.read()
    page.press("1")
    page.press("l")
    x, y = middle(page, 0)
    page.drag((x - 40, y), (x + 40, y + 20))
    page.press("w")
    page.drag((x - 60, y + 120), (x + 20, y + 150))
    before = [page.text("window", n) for n in range(4)]
    screen = page.grey()
    measures = page.page.locator(".measure").count()
    assert measures == 4, "shown in all linked panes"
    lose_context(page)
    page.page.wait_for_timeout(900)
    page.settle()
    assert [page.text("window", n) for n in range(4)] == before
    expect(page.page.locator(".measure")).to_have_count(measures)
    expect(page.page.locator("input:checked")).to_have_count(1)
    box = page.box(3)
    part = np.s_[round(box["y"]) + 60 : round(box["y"]) + 300, 560:960]
    assert np.abs(page.grey()[part].astype(int) - screen[part]).mean() < 1
    page.press("1", "1", "1", "Enter")
    page.page.get_by_text("Case 2 of").wait_for()
    page.page.get_by_text(re.compile("^Saved")).first.wait_for()
    assert page.sent()["viewer"]["context_lost"] == 1


def test_without_webgl_the_canvas_shows_the_same(reading):
    page = reading("map")
    page.read()
    with_webgl = page.grey()
    plain = reading("map")
    plain.context.add_init_script(
        "HTMLCanvasElement.prototype.getContext = (get => function (name, ...rest) {"
        " return String(name).startsWith('webgl') ? null : get.call(this, name, ...rest); })"
        "(HTMLCanvasElement.prototype.getContext);"
    )
    plain.read()
    for number in (0, 1):
        box = page.box(number)
        x, y = (round(box[n]) for n in ("x", "y"))
        part = np.s_[y + 200 : y + 700, x + 60 : x + 380]
        difference = np.abs(with_webgl[part].astype(int) - plain.grey()[part])
        assert difference.mean() < 3, "colours and places agree apart from smoothing"


@pytest.mark.parametrize("ratio", [1, 2])
def test_flat_images_are_shown_at_whole_multiples_of_a_pixel_without_smoothing(reading, ratio):
    page = reading("flat", device_scale_factor=ratio).read()
    levels = page.mock.volume("t1c").array[0]
    hide_words(page)
    screen = page.grey()[:, :, 0].astype(float)
    box = page.box()
    times = int(min(box["width"], box["height"]) * ratio // 128)
    grey = np.clip((levels - 0) / 2600 * 255, 0, 255)
    wanted = np.kron(grey, np.ones((times, times)))
    pane = screen[
        round(box["y"] * ratio) : round((box["y"] + box["height"]) * ratio),
        round(box["x"] * ratio) : round((box["x"] + box["width"]) * ratio),
    ]
    top = (pane.shape[0] - wanted.shape[0]) // 2
    left = (pane.shape[1] - wanted.shape[1]) // 2
    near = [
        np.abs(pane[top + dy :, left + dx :][: wanted.shape[0], : wanted.shape[1]] - wanted).max()
        for dy in (0, 1)
        for dx in (0, 1)
    ]
    assert min(near) <= 1.5, "each voxel is a square of one grey, centred to a pixel"
    expect(page.page.locator(".slice-track")).to_have_count(0)
    page.press("d")
    assert np.array_equal(page.grey()[:, :, 0], screen), "the interpolation is fixed"


def test_the_mouse_does_what_pacs_have_taught(reading):
    page = reading("quad").read()
    x, y = middle(page, 0)
    page.page.mouse.move(x, y)
    shown = page.slice_shown()
    page.page.mouse.wheel(0, 100)
    page.settle()
    assert [page.slice_shown(n) for n in range(4)] == [shown + 1] * 4
    windows = [page.text("window", n).split("\n")[0] for n in range(4)]
    page.drag((x, y), (x + 90, y + 40))
    changed = [page.text("window", n).split("\n")[0] for n in range(4)]
    assert changed[0] != windows[0]
    assert changed[1:] == windows[1:], "a window for each pane"
    scale = page.scale(1, 1)
    page.drag((x, y + 60), (x, y - 20), button="right")
    assert page.scale(1, 1) > scale, "right drag zooms all linked panes"
    page.page.keyboard.down("Control")
    scale = page.scale(0, 1)
    page.page.mouse.wheel(0, -200)
    page.settle()
    page.page.keyboard.up("Control")
    assert page.scale(0, 1) > scale
    assert page.slice_shown() == shown + 1, "Ctrl and wheel do not scroll"
    page.press("k")
    page.page.mouse.wheel(0, 100)
    page.settle()
    assert [page.slice_shown(n) for n in range(4)] == [shown + 2] + [shown + 1] * 3
    page.press("k", "r")
    assert page.text("window").split("\n")[0] == windows[0]
    page.page.mouse.dblclick(x, y)
    page.settle()
    expect(page.page.locator(".pane:visible")).to_have_count(1)
    page.press("Escape")
    expect(page.page.locator(".pane:visible")).to_have_count(4)


def test_keys_of_the_panes(reading):
    page = reading("quad").read()
    last = 80
    page.press("End")
    assert page.slice_shown() == last
    page.press("Home")
    assert page.slice_shown() == 1
    page.press("PageDown", "ArrowDown", "ArrowUp")
    assert page.slice_shown() == 6
    page.press("Shift+Digit2")
    assert page.text("window").startswith("W 1400 L 900")
    page.press("b", "i")
    assert "inverted" in page.text("window", 1)
    assert "inverted" not in page.text("window", 0)
    page.press("g")
    expect(page.page.locator(".pane:visible")).to_have_count(2)
    page.press("Shift+G")
    expect(page.page.locator(".pane:visible")).to_have_count(4)
    page.press("v")
    expect(page.page.locator(".pane__legend > div")).to_have_count(0)
    page.press("y")
    expect(page.pane(1).locator(".pane__text--note")).to_have_text(re.compile("Playing"))
    page.page.wait_for_timeout(600)
    page.press("y")
    assert page.slice_shown() > 6
    page.press("m")
    page.page.mouse.click(*middle(page, 0))
    page.settle()
    expect(page.page.locator("circle.measure")).to_have_count(4)
    page.press("Delete")
    expect(page.page.locator("circle.measure")).to_have_count(0)


def test_keys_and_mouse_are_given_another_meaning_and_kept(reading):
    page = reading("single").read()
    page.press("?")
    dialog = page.page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile(": invert$")).click()
    page.press("r")
    expect(dialog.get_by_role("status")).to_contain_text("R is taken")
    dialog.get_by_role("button", name=re.compile(": invert$")).click()
    page.press("q")
    expect(dialog.get_by_role("status")).to_contain_text("Kept")
    dialog.get_by_label("Left drag", exact=True).select_option("slice")
    expect(dialog.get_by_role("status")).to_contain_text("Kept")
    dialog.get_by_role("button", name="Close").click()
    page.press("q")
    assert "inverted" in page.text("window")
    page.page.reload()
    page.page.get_by_text(re.compile("Next case")).wait_for()
    shown = page.slice_shown()
    x, y = middle(page, 0)
    page.drag((x, y - 40), (x, y + 40))
    assert page.slice_shown() > shown
    page.press("i")
    assert page.text("window").count("inverted") == 1, "the old key does nothing"


def test_fingers_scroll_zoom_and_move(reading):
    page = reading(
        "single", viewport={"width": 1024, "height": 768}, has_touch=True, is_mobile=True
    ).read()
    session = page.context.new_cdp_session(page.page)

    def touch(kind: str, *points) -> None:
        places = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    x, y = middle(page, 0)
    shown = page.slice_shown()
    touch("touchStart", (x, y))
    for step in range(1, 7):
        touch("touchMove", (x, y + 10 * step))
    touch("touchEnd")
    page.settle()
    assert page.slice_shown() > shown
    scale = page.scale(0, 1)
    touch("touchStart", (x - 40, y), (x + 40, y))
    for step in range(1, 6):
        touch("touchMove", (x - 40 - 10 * step, y), (x + 40 + 10 * step, y))
    touch("touchEnd")
    page.settle()
    assert page.scale(0, 1) == pytest.approx(scale * 180 / 80, rel=0.05)
    small = page.page.evaluate(
        "() => [...document.querySelectorAll('.tool, .topbar .button')]"
        ".filter(e => e.offsetParent && Math.min(e.offsetWidth, e.offsetHeight) < 44).length"
    )
    assert small == 0


def test_outside_a_reading_two_images_and_their_difference_stand_together(reading):
    page = reading("quad")
    page.page.goto(f"{page.mock.url}/viewer/")
    page.pane(4).get_by_text("T1 − T1 after contrast").wait_for()
    page.page.wait_for_timeout(1500)
    first, second = page.mock.volume("t1").array, page.mock.volume("t1c").array
    x, y = middle(page, 0)
    page.page.mouse.move(x + 31, y + 17)
    page.settle()
    values = [page.text("slice", n).split("\n")[1] for n in (0, 1, 4)]
    numbers = [int(value.replace("\u2212", "-")) for value in values]
    assert numbers[2] == numbers[0] - numbers[1]
    assert numbers[0] in first[40]
    assert numbers[1] in second[40]


def test_the_next_case_comes_quietly_and_the_second_only_in_part(reading):
    page = reading("quad")
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.read()
    page.page.get_by_text("Next case ready").wait_for()
    state = page.mock.state()
    chunks = len(state["forms"][0]["layout"]["slots"][0]["chunks"])
    images = list(state["reading"]["images"])

    def chunks_of(reading_) -> list[str]:
        tokens = set(reading_["images"].values())
        return [u for u in asked if any(f"/i/{token}/" in u for token in tokens)]

    assert len(chunks_of(state["reading"])) == chunks * len(images)
    assert len(chunks_of(state["upcoming"][0])) == chunks * len(images)
    for _ in range(100):
        second = chunks_of(state["upcoming"][1])
        if len(second) == len(images):
            break
        page.page.wait_for_timeout(100)
    page.page.wait_for_timeout(500)
    second = chunks_of(state["upcoming"][1])
    assert len(second) == len(images)
    assert all(url.endswith("/0") for url in second)
    page.press("1", "1", "1", "1", "Enter")
    page.page.get_by_text("Case 2 of").wait_for()
    assert page.slice_shown() == 41
