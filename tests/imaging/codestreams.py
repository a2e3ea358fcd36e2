"""Compressed frames of a known picture, one set for each DICOM transfer syntax.

The bytes in ``codestreams.json`` were made once with the encoders of imagecodecs 2026.3.6
(libjpeg-turbo, CharLS, OpenJPEG, OpenJPH) from `picture`; nothing of this project was involved.
RLE, native and deflated files are written by pydicom in the tests themselves.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import uid

SHAPE = (3, 24, 20)


def picture(bits: int, *, signed: bool = False) -> np.ndarray:
    """Three slices whose values fill most of the range, no two alike."""
    z, y, x = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    share = (0.2 * z + 0.9 * y / 24 + 0.5 * x / 20 + 0.1 * ((x + y) % 2)) / 2
    values = np.floor(share * (2**bits - 1)).astype(np.int64)
    if signed:
        return (values - 2 ** (bits - 1)).astype(np.int16)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


@dataclass(frozen=True)
class Compressed:
    """One row of the table: a transfer syntax, the pixels it holds, and whether it is exact."""

    name: str
    syntax: str
    bits: int
    signed: bool = False
    exact: bool = True

    def frames(self) -> list[bytes]:
        """The codestreams of the three slices."""
        table = json.loads(Path(__file__).with_suffix(".json").read_text())
        return [base64.b64decode(frame) for frame in table[self.name]]


TABLE = [
    Compressed("jpeg-baseline-8", uid.JPEGBaseline8Bit, 8, exact=False),
    Compressed("jpeg-extended-12", uid.JPEGExtended12Bit, 12, exact=False),
    Compressed("jpeg-lossless-p14-12", uid.JPEGLossless, 12),
    Compressed("jpeg-lossless-p14-16", uid.JPEGLossless, 16),
    Compressed("jpeg-lossless-sv1-8", uid.JPEGLosslessSV1, 8),
    Compressed("jpeg-lossless-sv1-12", uid.JPEGLosslessSV1, 12),
    Compressed("jpeg-lossless-sv1-16", uid.JPEGLosslessSV1, 16),
    Compressed("jpeg-ls-8", uid.JPEGLSLossless, 8),
    Compressed("jpeg-ls-12", uid.JPEGLSLossless, 12),
    Compressed("jpeg-ls-16", uid.JPEGLSLossless, 16),
    Compressed("jpeg-ls-near-12", uid.JPEGLSNearLossless, 12, exact=False),
    Compressed("jpeg-2000-lossless-12", uid.JPEG2000Lossless, 12),
    Compressed("jpeg-2000-lossless-16", uid.JPEG2000Lossless, 16),
    Compressed("jpeg-2000-lossless-signed-16", uid.JPEG2000Lossless, 16, signed=True),
    Compressed("jpeg-2000-12", uid.JPEG2000, 12, exact=False),
    Compressed("htj2k-lossless-12", uid.HTJ2KLossless, 12),
    Compressed("htj2k-lossless-16", uid.HTJ2KLossless, 16),
    Compressed("htj2k-lossless-rpcl-12", uid.HTJ2KLosslessRPCL, 12),
    Compressed("htj2k-12", uid.HTJ2K, 12, exact=False),
]
