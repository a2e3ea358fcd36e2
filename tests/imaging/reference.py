"""Voxels as pydicom and nibabel read them, to compare with what the readers give."""

from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom

from readerstudy.imaging.geometry import Volume

COUNT = 20


def dicom_voxels(
    paths: list[Path], frames: tuple[tuple[int, int], ...] = ()
) -> Iterator[tuple[np.ndarray, float]]:
    """LPS position and value of random pixels, by DICOM PS3.3 C.7.6.2.1-1 and pydicom."""
    random = np.random.default_rng(21)
    datasets = {path: pydicom.dcmread(path, force=True) for path in paths}
    chosen = [(paths[file], frame) for file, frame in frames] or [
        (path, frame)
        for path in paths
        for frame in range(int(datasets[path].get("NumberOfFrames") or 1))
    ]
    for _ in range(COUNT):
        path, frame = chosen[random.integers(len(chosen))]
        dataset = datasets[path]
        row, column = (int(random.integers(n)) for n in (dataset.Rows, dataset.Columns))
        yield place(dataset, frame, row, column), value(dataset, frame, row, column)


def place(dataset: pydicom.Dataset, frame: int, row: int, column: int) -> np.ndarray:
    orientation = np.array(attribute(dataset, frame, "ImageOrientationPatient"), float)
    along_row, along_column = orientation.reshape(2, 3)
    row_distance, column_distance = map(float, attribute(dataset, frame, "PixelSpacing"))
    origin = np.array(attribute(dataset, frame, "ImagePositionPatient"), float)
    return origin + along_row * column_distance * column + along_column * row_distance * row


def value(dataset: pydicom.Dataset, frame: int, row: int, column: int) -> float:
    pixels = dataset.pixel_array
    stored = pixels[frame, row, column] if pixels.ndim == 3 else pixels[row, column]
    if dataset.get("ModalityLUTSequence"):
        return float(pydicom.pixels.apply_modality_lut(np.array([stored]), dataset)[0])
    slope = attribute(dataset, frame, "RescaleSlope")
    intercept = attribute(dataset, frame, "RescaleIntercept")
    if slope is None:
        return float(stored)
    return float(stored) * float(slope) + float(intercept)


def attribute(dataset: pydicom.Dataset, frame: int, keyword: str) -> object:
    """A frame's attribute: its own group, the shared group, or the data set itself."""
    groups = [
        *list(dataset.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1],
        *list(dataset.get("SharedFunctionalGroupsSequence") or []),
    ]
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value and keyword in element.value[0]:
                return element.value[0][keyword].value
    return dataset.get(keyword)


def nifti_voxels(path: Path) -> Iterator[tuple[np.ndarray, float]]:
    """LPS position and value of random voxels, by nibabel alone."""
    image = nib.MGHImage.from_bytes(path.read_bytes()) if path.suffix == ".mgh" else nib.load(path)
    values = np.asanyarray(image.dataobj).reshape(tuple([*image.shape, 1, 1][:3]))
    random = np.random.default_rng(22)
    for _ in range(COUNT):
        index = tuple(int(random.integers(n)) for n in values.shape)
        ras = (image.affine @ [*index, 1])[:3]
        yield ras * [-1, -1, 1], values[index]


def agrees(volume: Volume, voxels: Iterator[tuple[np.ndarray, float]], within_mm: float = 1e-3):
    """Assert that a volume has these values at these places."""
    for position, expected in voxels:
        x, y, z = np.linalg.solve(volume.affine_lps, [*position, 1])[:3]
        i, j, k = (round(float(index)) for index in (x, y, z))
        np.testing.assert_allclose(volume.position_mm(k, j, i), position, atol=within_mm)
        assert min(i, j, k) >= 0
        assert volume.array[k, j, i] == expected
