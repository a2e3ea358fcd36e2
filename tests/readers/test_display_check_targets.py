"""The drawn targets: reproducible, and with exactly the contrast that is stated."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from readerstudy.readers.display_check_drawing import SIZE, png
from readerstudy.readers.display_check_targets import CHARACTERS, LINES, ZONES, draw, percent

# TG18-QC: lettering on 0, 128 and 255 in differences of 14 to 1 levels, patches of 13 levels
# (5 %) on black and on white. The steps tried here as signed differences from the background.
PLAN = [
    *((0, step) for step in (13, 8, 4, 2)),
    (64, 4),
    (128, 4),
    (128, 2),
    (191, -4),
    *((255, -step) for step in (13, 8, 4, 2)),
]
TAKEN_FOR_ANOTHER = "0ODQ1Il2Z5S6G8BUV"


def shown(target) -> np.ndarray:
    image = Image.open(io.BytesIO(png(target)))
    assert image.format == "PNG"
    assert image.mode == "L", "eight bits of grey, no palette and no colour"
    assert not image.info, "no gamma, profile or text that would change what is shown"
    return np.asarray(image).astype(int)


def contrasts(seed: str):
    return [target for target in draw(seed) if target.zone != LINES]


def test_the_plan_is_that_of_the_pattern():
    assert [(t.background, t.ink - t.background) for t in contrasts("any")] == PLAN
    assert draw("any")[-1].zone == LINES


def test_the_same_seed_gives_the_same_targets_also_after_an_update():
    assert draw("seed") == draw("seed")
    # From sha256sum: the characters sorted by the hash of "display-check-1|seed|<character>".
    assert "".join(target.character for target in draw("seed")) == "3RA749WLTNPMC"


@given(st.text(max_size=40))
def test_characters_are_known_apart_and_none_comes_twice(seed):
    characters = [target.character for target in draw(seed)]
    assert len(set(characters)) == len(characters) == 13
    assert set(characters) <= set(CHARACTERS)
    assert not set(characters) & set(TAKEN_FOR_ANOTHER)


def test_seeds_give_each_character_at_each_place_about_equally_often():
    first = [draw(f"seed {number}")[0].character for number in range(2000)]
    counts = [first.count(character) for character in CHARACTERS]
    # 2000 draws of 20 characters: mean 100, SD 9.7; 5 SD either way.
    assert min(counts) > 51
    assert max(counts) < 149


@pytest.mark.parametrize("place", range(12))
def test_a_patch_has_two_greys_as_far_apart_as_stated(place):
    target = draw("seed")[place]
    pixels = shown(target)
    background, step = PLAN[place]
    assert pixels.shape == (320, 320)
    assert set(np.unique(pixels)) == {background, background + step}
    assert pixels[0, 0] == background
    inked = (pixels != background).mean()
    assert 0.003 < inked < 0.03, "a character of about a centimetre, not a speck or a slab"
    assert percent(target.step) == pytest.approx(100 * abs(step) / 255)


@settings(max_examples=25)
@given(st.text(max_size=10))
def test_the_character_lies_wholly_inside_its_patch(seed):
    for target in contrasts(seed):
        pixels = shown(target)
        rim = np.concatenate([pixels[:4].ravel(), pixels[-4:].ravel(), pixels[:, :4].ravel()])
        assert set(np.unique(rim)) == {target.background}


def test_the_same_character_is_drawn_alike_at_every_contrast():
    """Nothing but the greys differs, so that the step alone decides whether it is read."""
    shapes = set()
    for seed in range(60):
        for target in contrasts(str(seed)):
            if target.character == "A":
                rows, columns = np.nonzero(shown(target) != target.background)
                shape = set(zip(rows - rows.min(), columns - columns.min(), strict=True))
                shapes.add(frozenset(shape))
    assert len(shapes) == 1


def test_the_lines_hide_their_character_once_pixels_are_mixed():
    """Averaged over two by two pixels, as a wrong resolution does, nothing is left of it."""
    target = draw("seed")[-1]
    pixels = shown(target)
    assert set(np.unique(pixels)) == {0, 255}
    lying = pixels[:, 0]
    assert set(np.abs(np.diff(lying))) == {255}, "lines of one pixel"
    mixed = pixels.reshape(SIZE // 2, 2, SIZE // 2, 2).mean(axis=(1, 3))
    outside_of_the_edge = np.abs(mixed - 127.5) < 64
    assert outside_of_the_edge.mean() > 0.95
    upright = np.abs(np.diff(pixels, axis=1)) == 255
    assert upright.mean() > 0.05, "the character is there while pixels are single"


def test_zones_go_from_dark_to_bright():
    assert [zone.background for zone in ZONES] == [0, 64, 128, 191, 255]
