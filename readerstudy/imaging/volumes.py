"""Entry point to reading images: find series, load one, get a `Volume`."""

from readerstudy.imaging.dicom import load_dicom_series
from readerstudy.imaging.discovery import find_series, load
from readerstudy.imaging.found import FoundSeries
from readerstudy.imaging.geometry import MAX_DECODED_BYTES, Volume
from readerstudy.imaging.nifti import load_nifti

__all__ = [
    "MAX_DECODED_BYTES",
    "FoundSeries",
    "Volume",
    "find_series",
    "load",
    "load_dicom_series",
    "load_nifti",
]
