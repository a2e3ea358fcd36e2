"""Errors of the image readers: which file, what is wrong, what to do next."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from warnings import catch_warnings, simplefilter


class ImageError(Exception):
    """An image that cannot be used.

    Parameters
    ----------
    path : str or PathLike
        File or folder at fault. Only its last part is kept, since folders may name patients.
    reason : str
        What is wrong, as a plain clause without a full stop.
    advice : str
        What the user can do about it, as a full sentence.
    """

    def __init__(self, path: str | PathLike[str], reason: str, advice: str) -> None:
        self.path = Path(path).name
        self.reason = reason
        self.advice = advice
        super().__init__(f"{self.path}: {reason}. {advice}")


class UnreadableError(ImageError):
    """The file or folder cannot be opened, or is not the image it claims to be."""


class TruncatedError(ImageError):
    """The file ends too early or its compressed data are damaged."""


class TooLargeError(ImageError):
    """The image, or what its header claims, exceeds the size limit."""


class OrientationError(ImageError):
    """The position of the voxels in the patient is missing or makes no sense."""


class UnsupportedImageError(ImageError):
    """A sound file of a kind that is not read: colour, time series, mosaic, segmentation."""


class NotAnImageError(UnsupportedImageError):
    """A sound DICOM object that holds no picture, such as a report or a presentation state."""


class VoxelValueError(ImageError):
    """The voxel values cannot be shown: not finite, or all the same."""


class MissingSlicesError(ImageError):
    """The slices of a series leave a gap or lie at uneven distances."""


class MixedSeriesError(ImageError):
    """The files do not form one stack: several series, orientations, shapes or repeats."""


class StoppedError(ImageError):
    """Reading was stopped: it took too long, or brought the reading process down."""


ASK_FOR_COPY = "Copy or export the file again from its source."


@contextmanager
def explained(path: str | PathLike[str], what: str) -> Iterator[None]:
    """Turn whatever a reading library raises into one `ImageError` about `path`.

    Parameters
    ----------
    path : str or PathLike
        File or folder being read.
    what : str
        The expected kind of file, for the message ("NIfTI file").
    """
    try:
        with catch_warnings():
            simplefilter("ignore")
            yield
    except ImageError:
        raise
    except (EOFError, zlib.error) as error:
        reason = "the compressed data end too early or are damaged"
        raise TruncatedError(path, reason, ASK_FOR_COPY) from error
    except MemoryError as error:
        advice = "Use a smaller image, or a machine with more memory."
        raise TooLargeError(path, "there is not enough memory to read it", advice) from error
    except PermissionError as error:
        advice = "Give this program the right to read it."
        raise UnreadableError(path, "reading it is not permitted", advice) from error
    except FileNotFoundError as error:
        raise UnreadableError(path, "it does not exist", "Check the path.") from error
    except Exception as error:
        reason = f"it cannot be read as a {what}"
        raise UnreadableError(path, reason, ASK_FOR_COPY) from error
