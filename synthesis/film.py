"""A film of a walk through the latent space: what lies between the images of given seeds.

PyAV is imported only when a film is made: its wheels bring an FFmpeg with libx264, which a site may
not be free to pass on. docs/how-to/make-a-film.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from synthesis.generate import SYNTHETIC_NOTE, Generator
from synthesis.networks.images import ImageGenerator
from synthesis.sampling import (
    BATCH,
    WHITE,
    Images,
    finished,
    image_generator,
    latents_of,
    rendered,
)

_LEAST_SIDE, _CAPTION, _GAP = 256, 24, 4
_FRAMES_PER_SECOND = 25

_ENCODERS = ("libx264", "libopenh264", "libvpx-vp9", "mpeg4")  # the last two are free of H.264

Frame = npt.NDArray[np.uint8]


class FilmError(ValueError):
    """This machine cannot write films; the message says what to install."""


def write_film(
    path: Path,
    generator: Generator,
    seeds: Sequence[int],
    *,
    truncation: float = 1.0,
    frames_per_leg: int = 50,
) -> int:
    """Write an MP4 of the walk from seed to seed and back to the first.

    The sequences of a latent are shown side by side. Noise stays that of the first seed, so that
    only what the latent says changes. Each frame bears the note that it is synthetic. H.264 where
    the FFmpeg at hand has it, else VP9 or MPEG-4.

    Parameters
    ----------
    path : Path
        Ends in ``.mp4``.
    generator : Generator
        Of images.
    seeds : sequence of int
        At least two.
    truncation : float
    frames_per_leg : int
        Frames from one seed to the next; 25 are a second.

    Returns
    -------
    int
        Frames written.

    Raises
    ------
    ValueError
        If there are fewer than two seeds, or nothing here can encode a film (`FilmError`).
    """
    network = image_generator(generator)
    av = _pyav()
    encoder = _encoder(av)
    frames = 0
    with av.open(str(path), "w") as film:
        stream = None
        for image in walk(network, seeds, truncation=truncation, frames_per_leg=frames_per_leg):
            frame = captioned(image)
            if stream is None:
                stream = film.add_stream(encoder, rate=Fraction(_FRAMES_PER_SECOND))
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt = "yuv420p"
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            frames += 1
        if stream is not None:
            film.mux(stream.encode(None))
    return frames


def _pyav() -> Any:
    try:
        import av
    except ImportError as error:
        raise FilmError(
            "A film needs PyAV, which is not installed on the worker: pip install av. Images and "
            "sheets need no PyAV."
        ) from error
    return av


def _encoder(av: Any) -> str:
    for name in _ENCODERS:
        try:
            av.Codec(name, "w")
        except ValueError:  # unknown to this build
            continue
        return name
    raise FilmError(
        f"The FFmpeg that PyAV uses here has none of the encoders {', '.join(_ENCODERS)}. Install "
        "one that has."
    )


def walk(
    network: ImageGenerator, seeds: Sequence[int], *, truncation: float, frames_per_leg: int
) -> Iterator[Images]:
    """Make the images (sequences, size, size) of a closed walk, the first seed first.

    Raises
    ------
    ValueError
        If there are fewer than two seeds, or no frames.
    """
    if len(seeds) < 2 or frames_per_leg < 1:
        raise ValueError("A walk needs at least two seeds and one frame between them.")
    latents, noises = latents_of(network, seeds)
    path = torch.stack(
        [
            network.between(latents[leg], latents[(leg + 1) % len(seeds)], step / frames_per_leg)
            for leg in range(len(seeds))
            for step in range(frames_per_leg)
        ]
    )
    for start in range(0, len(path), BATCH):
        part: Tensor = path[start : start + BATCH]
        yield from rendered(network, part, noises[:1].expand(len(part), -1), truncation=truncation)


def captioned(image: Images) -> Frame:
    """Return a frame (height, width, 3), sides even: sequences side by side above the note."""
    zoom = max(1, math.ceil(_LEAST_SIDE / image.shape[-1]))
    levels = (finished(image) * (255 / WHITE)).astype(np.uint8)
    large = levels.repeat(zoom, axis=1).repeat(zoom, axis=2)
    row = np.concatenate([np.pad(one, [(0, 0), (0, _GAP)]) for one in large], axis=1)
    picture = Image.fromarray(
        np.pad(row, [(0, _CAPTION + row.shape[0] % 2), (0, row.shape[1] % 2)])
    )
    font = ImageFont.load_default(min(12, max(6, row.shape[1] // 30)))
    ImageDraw.Draw(picture).text((4, row.shape[0] + 4), SYNTHETIC_NOTE, fill=255, font=font)
    return np.asarray(picture.convert("RGB"))
