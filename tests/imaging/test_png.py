import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.frames import plane_of, to_plane
from readerstudy.imaging.png import load_png
from readerstudy.imaging.volumes import find_series, load

from .test_discovery import by_name

RANDOM = np.random.default_rng(6)
GREY = RANDOM.integers(0, 256, (64, 48), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (64, 48), dtype=np.uint16)


def chunk(name, data):
    body = name + data
    return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")


def interlaced(pixels):
    """An Adam7 picture, written by the PNG specification (section 8.2)."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)]
    passes += [(1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b"".join(
        b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes()
        for x, y, dx, dy in passes
        for row in pixels[y::dy, x::dx]
    )
    height, width = pixels.shape
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    header += bytes([pixels.dtype.itemsize * 8, 0, 0, 0, 1])
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8 bit", "16 bit"])
def test_grey(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    volume = load_png(tmp_path / "a.png")
    assert volume.array.dtype == pixels.dtype
    np.testing.assert_array_equal(volume.array, pixels[None])
    assert volume.spacing_mm == (1.0, 1.0, 1.0)
    assert volume.facts == {"two_dimensional": True}
    assert (volume.kind, volume.flags) == ("png", ("position_unknown",))


@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8 bit", "16 bit"])
def test_interlaced(tmp_path, pixels):
    (tmp_path / "a.png").write_bytes(interlaced(pixels))
    np.testing.assert_array_equal(load_png(tmp_path / "a.png").array[0], pixels)


def test_equal_colour_channels_are_grey(tmp_path):
    opaque = np.full_like(GREY, 255)
    for name, channels in (("rgb", [GREY] * 3), ("rgba", [GREY] * 3 + [opaque])):
        Image.fromarray(np.stack(channels, -1)).save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(load_png(tmp_path / f"{name}.png").array[0], GREY)
    Image.fromarray(np.stack([GREY, opaque], -1), "LA").save(tmp_path / "la.png")
    np.testing.assert_array_equal(load_png(tmp_path / "la.png").array[0], GREY)


def test_grey_palette(tmp_path):
    picture = Image.fromarray(GREY).quantize(256)
    picture.putpalette([level for level in range(255, -1, -1) for _ in range(3)])
    indices = np.asarray(picture)
    picture.save(tmp_path / "p.png")
    np.testing.assert_array_equal(load_png(tmp_path / "p.png").array[0], 255 - indices)


def test_text_gamma_and_profile_change_nothing(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Doe^Jane", zip=True)
    text.add(b"gAMA", (45455).to_bytes(4, "big"))
    Image.fromarray(GREY).save(tmp_path / "a.png", pnginfo=text, icc_profile=b"x" * 200, dpi=(9, 9))
    volume = load_png(tmp_path / "a.png")
    np.testing.assert_array_equal(volume.array[0], GREY)
    assert "Doe" not in repr(volume)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (Image.fromarray(RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)), "colour"),
        (Image.fromarray(np.dstack([GREY] * 4)), "transparent"),
        (Image.fromarray(GREY > 9), "1 bits"),
        (Image.fromarray(np.full((8, 8), 7, np.uint8)), "same value"),
        (Image.new("L", (4097, 1)), "more than 4096"),
    ],
    ids=["colour", "transparent", "one bit", "constant", "too wide"],
)
def test_refused(tmp_path, picture, words):
    picture.save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=words) as caught:
        load(find_series(tmp_path)[0])
    assert caught.value.advice.endswith(".")


def test_damaged(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for data in (whole[:20], whole[:-30], whole[:60] + b"\1" + whole[61:], b"PNG", b""):
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(ImageError):
            load(find_series(tmp_path)[0])


def save(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def test_pictures_named_by_sequence_are_one_case(tmp_path):
    for seed, name in enumerate(("case-1/t1.png", "case-1/t1c.png", "case-2/t1.png")):
        save(tmp_path / name, seed)
    found = by_name(find_series(tmp_path))
    assert {name: (one.case, one.role) for name, one in found.items()} == {
        "case-1/t1.png": ("case-1", "t1"),
        "case-1/t1c.png": ("case-1", "t1c"),
        "case-2/t1.png": ("case-2", "t1"),
    }


def test_every_other_picture_is_a_case_of_its_own(tmp_path):
    names = ("set-a/0001.png", "set-a/0002.png", "set-b/0001.png", "p/t1/7.png", "p/t1c/7.png")
    for seed, name in enumerate(names):
        save(tmp_path / name, seed)
    found = by_name(find_series(tmp_path))
    assert {name: (one.case, one.role, one.status) for name, one in found.items()} == {
        "set-a/0001.png": ("set-a/0001", None, "ok"),
        "set-a/0002.png": ("set-a/0002", None, "ok"),
        "set-b/0001.png": ("set-b/0001", None, "ok"),
        "p/t1/7.png": ("p/7", "t1", "ok"),
        "p/t1c/7.png": ("p/7", "t1c", "ok"),
    }


@pytest.mark.parametrize(
    ("plane", "shape"), [("axial", (1, 5, 7)), ("coronal", (5, 1, 7)), ("sagittal", (5, 7, 1))]
)
def test_a_picture_lies_in_the_plane_that_is_said(tmp_path, plane, shape):
    """Rows run to posterior or inferior, columns to the left or posterior, as frames.to_plane."""
    pixels = np.arange(1, 36, dtype=np.uint8).reshape(5, 7)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    volume = load_png(tmp_path / "p.png", plane=plane)
    assert volume.array.shape == shape
    if plane == "axial":
        assert volume.array[0, 0, 0] == pixels[0, 0]
    else:  # z grows to superior: the first row of the picture is the highest one
        upright = volume.array[::-1].reshape(5, 7)
        assert np.array_equal(upright, pixels)
    assert np.array_equal(to_plane(volume.array, plane)[0], pixels)
    assert plane_of(volume.array.shape) == plane
