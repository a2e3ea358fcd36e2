"""From weights and source images to synthetic volumes."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from synthesis.data.layout import bounding_box, padded_to_multiple, slice_channels
from synthesis.data.subjects import (
    FloatVolume,
    Mask,
    Subject,
    brain_mask,
    find_subjects,
    load_subject,
    zscore,
)
from synthesis.dicom_out import UNITS, Making, sidecar
from synthesis.levels import output_mapping
from synthesis.manifest import (
    GenerationRecord,
    ImageRecord,
    Inputs,
    Pixels,
    environment,
    image_record,
)
from synthesis.networks.flow import by_flow
from synthesis.networks.registry import build, network_config
from synthesis.networks.threads import spare_cores, using_threads
from synthesis.networks.volumes import by_tiles, by_volume
from synthesis.training.checkpoints import (
    CheckpointError,
    load_weights,
    read_json,
    write_atomically,
    write_json,
)

WEIGHTS_FILE = "weights.safetensors"
SPLIT_FILE = "split.json"
RECORD_FILE = "generation.json"
WEIGHTS_FORMAT = "readerstudy-weights/1"
SYNTHETIC_NOTE = "SYNTHETIC - RESEARCH USE ONLY, NOT FOR DIAGNOSIS"

_SLICES_AT_ONCE = 8
_SLOPE_AT = 112  # scl_slope and scl_inter in a NIfTI-1 header

Progress = Callable[[int, int, str, dict[str, float]], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Generator:
    """A trained generator, ready to use.

    Attributes
    ----------
    network : Module
        In evaluation mode.
    preset : str
    config : dataclass
        Settings of the network.
    weights_sha256 : str
        Fingerprint of the weights file.
    device : str
    seen : dict of str to str
        `content_sha256` of the images of its run to "train" or "validation"; empty if the split
        does not lie beside the weights.
    """

    network: nn.Module
    preset: str
    config: Any
    weights_sha256: str
    device: str = "cpu"
    seen: dict[str, str] = field(default_factory=dict)

    def volume(self, inputs: Inputs, *, seed: int) -> Pixels:
        """Make a volume: see `generate_volume`."""
        return generate_volume(self.network, self.config, inputs, seed=seed)

    def describe(self) -> dict[str, Any]:
        """Return what a record says of this generator."""
        return {
            "preset": self.preset,
            "network": json.loads(json.dumps(asdict(self.config))),
            "weights_sha256": self.weights_sha256,
            "output_mapping": asdict(output_mapping(self.config)),
        }


@dataclass(frozen=True)
class GenerationResult:
    """What `generate` made.

    Attributes
    ----------
    record : GenerationRecord
    files : dict of str to Path
        Image uuid to file.
    finished : bool
        False if it was asked to stop before the last subject.
    """

    record: GenerationRecord
    files: dict[str, Path]
    finished: bool


def predict(
    network: nn.Module, config: Any, z: Mapping[str, FloatVolume], mask: Mask, *, seed: int = 0
) -> FloatVolume:
    """Run a generator over a whole volume.

    Parameters
    ----------
    network : Module
        On the device it shall run on.
    config : dataclass
        Its settings; ``config.inference`` says how it is run.
    z : mapping of str to float32 ndarray (z, y, x)
        z-scores of the inputs.
    mask : bool ndarray (z, y, x)
        Only its bounding box is computed.
    seed : int
        Of what a generator draws.

    Returns
    -------
    float32 ndarray (z, y, x)
        z-scores of the target, zero outside the mask.
    """
    box = bounding_box(mask)
    stack = np.stack([z[role][box] for role in config.inputs])
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            rng = torch.Generator().manual_seed(seed)
            inside = _INFERENCE[config.inference](network, config, stack, rng)
    finally:
        network.train(was_training)
    whole = np.zeros(mask.shape, dtype=np.float32)
    whole[box] = inside
    whole[~mask] = 0.0
    return whole


def _by_slices(
    network: nn.Module, config: Any, stack: FloatVolume, _rng: torch.Generator
) -> FloatVolume:
    """Predict (z, y, x) from inputs (roles, z, y, x), a few axial slices at a time."""
    device = next(network.parameters()).device
    depth, height, width = stack.shape[1:]
    padded = padded_to_multiple(stack, config.multiple)
    out = np.empty((depth, height, width), dtype=np.float32)
    for start in range(0, depth, _SLICES_AT_ONCE):
        numbers = range(start, min(start + _SLICES_AT_ONCE, depth))
        slices = np.stack([slice_channels(padded, z, config.neighbours) for z in numbers])
        batch = torch.from_numpy(slices).to(device, memory_format=torch.channels_last)
        predicted = network(batch)[:, 0, :height, :width]
        out[start : start + len(numbers)] = predicted.float().cpu().numpy()
    return out


_Inference = Callable[[nn.Module, Any, FloatVolume, torch.Generator], FloatVolume]
_INFERENCE: dict[str, _Inference] = {
    "slices": _by_slices,
    "volume": by_volume,
    "tiles": by_tiles,
    "flow": by_flow,
}


def generate_volume(network: nn.Module, config: Any, inputs: Inputs, *, seed: int = 0) -> Pixels:
    """Make a synthetic volume from source images.

    Each input is z-scored over its non-zero voxels, the network predicts the z-scores of the
    target, and these become grey levels by `OutputMapping`: 1000 + 200 z inside the brain mask
    (where any input is not zero), at least 1, at most 4095; 0 outside. A network that keeps the
    unit of its target gives hundredths of that unit instead: see `output_mapping`.

    Parameters
    ----------
    network : Module
    config : dataclass
        Settings of the network, for example `UNet2DConfig`.
    inputs : mapping of str to ndarray (z, y, x)
        Raw intensities in RAS orientation, skull-stripped, by sequence; further ones are ignored.
    seed : int
        For generators that draw; a regression network gives the same volume for every seed.

    Returns
    -------
    int16 ndarray (z, y, x)
        The same on every call with the same arguments, device and PyTorch build.

    Raises
    ------
    ValueError
        If a sequence is missing or the shapes differ.
    """
    missing = [role for role in config.inputs if role not in inputs]
    if missing:
        raise ValueError(
            f"The network needs {', '.join(config.inputs)}; {', '.join(missing)} is missing."
        )
    raw = {role: np.asarray(inputs[role]) for role in config.inputs}
    shapes = {role: values.shape for role, values in raw.items()}
    if len(set(shapes.values())) != 1 or len(next(iter(shapes.values()))) != 3:
        raise ValueError(f"The inputs must be volumes (z, y, x) of one shape, got {shapes}.")
    mask = brain_mask(raw.values())
    z = {role: zscore(values, name=role).z for role, values in raw.items()}
    with using_threads(min(torch.get_num_threads(), spare_cores())):
        predicted = predict(network, config, z, mask, seed=seed)
    return output_mapping(config).apply(predicted, mask)


def load_generator(path: Path, *, device: str = "cpu") -> Generator:
    """Load a generator from a run folder or a weights file: safetensors and JSON, no pickle.

    Parameters
    ----------
    path : Path
        Folder of a finished run, or a ``.safetensors`` file of one.
    device : str

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, a pickle, or not of a generator this version knows.
    """
    file = path / WEIGHTS_FILE if path.is_dir() else path
    if path.is_dir() and not file.exists():
        raise CheckpointError(
            f"The run {path.name} has no {WEIGHTS_FILE}: it is not finished. Resume it first."
        )
    weights, facts, digest = load_weights(file)
    if facts.get("format") != WEIGHTS_FORMAT:
        raise CheckpointError(f"{file.name} was not written by this program: no preset inside.")
    try:
        config = network_config(facts["preset"], **facts["network"])
        network = build(facts["preset"], **asdict(config))["generator"]
        network.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{file.name} does not fit this version: {error}") from error
    network = on_device(network, torch.device(device)).eval().requires_grad_(False)
    return Generator(
        network, facts["preset"], config, digest, device, _seen(file.with_name(SPLIT_FILE))
    )


def on_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, images and volumes stored with channels last: it is faster."""
    volumes = any(weights.dim() == 5 for weights in network.parameters())
    layout = torch.channels_last_3d if volumes else torch.channels_last
    moved: nn.Module = network.to(device=device).to(memory_format=layout)  # type: ignore[call-overload]
    return moved


def _seen(split_file: Path) -> dict[str, str]:
    if not split_file.exists():
        return {}
    subjects = read_json(split_file)["subjects"]
    return {digest: s["part"] for s in subjects for digest in s["content_sha256"].values()}


def generate(
    run: Path,
    data_dir: Path,
    out_dir: Path,
    *,
    subjects: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "cpu",
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
) -> GenerationResult:
    """Make the missing sequence for the subjects of a folder.

    Writes ``<out_dir>/<subject>/<target>_synthetic.nii.gz`` on the grid of the source, and
    ``<out_dir>/generation.json``, the record, after each subject.

    Parameters
    ----------
    run : Path
        Run folder or weights file: see `load_generator`.
    data_dir : Path
        ``<subject>/<sequence>.nii.gz``; the target is not needed and not read.
    out_dir : Path
    subjects : sequence of str, optional
        Names of the subjects wanted; all without it.
    seed, device
        See `generate_volume` and `load_generator`.
    on_progress : callable, optional
        Called with (subjects done, of, message, {}).
    should_stop : callable, optional
        Asked before each subject.

    Raises
    ------
    ValueError
        If the weights, a subject or a sequence cannot be used.
    """
    generator = load_generator(run, device=device)
    if generator.config.inference not in _INFERENCE:
        raise ValueError(f"{generator.preset} does not make images from images.")
    found = find_subjects(data_dir, generator.config.inputs).subjects
    chosen = _chosen({files.name: files for files in found}, subjects)
    images: list[ImageRecord] = []
    files: dict[str, Path] = {}
    record = GenerationRecord(generator.describe(), environment(device), ())
    for number, name in enumerate(chosen):
        if should_stop and should_stop():
            return GenerationResult(record, files, finished=False)
        if on_progress:
            on_progress(number, len(chosen), f"Generating for {name}", {})
        subject = load_subject(chosen[name], inputs=generator.config.inputs)
        pixels = generator.volume(subject.raw, seed=seed)
        images.append(image_record(subject.raw, pixels, seed=seed, seen=generator.seen))
        files[images[-1].uuid] = _write(out_dir / name, generator.config, subject, pixels)
        _tell(files[images[-1].uuid], generator, images[-1], device)
        record = GenerationRecord(record.generator, record.environment, tuple(images))
        write_json(out_dir / RECORD_FILE, record.to_dict())
    if on_progress:
        on_progress(len(chosen), len(chosen), "Done", {})
    return GenerationResult(record, files, finished=True)


def _chosen(found: dict[str, Any], wanted: Sequence[str] | None) -> dict[str, Any]:
    if wanted is None:
        return found
    unknown = [name for name in wanted if name not in found]
    if unknown:
        raise ValueError(
            f"No complete subject called {', '.join(unknown)}. Complete ones: {', '.join(found)}."
        )
    return {name: found[name] for name in wanted}


def _write(folder: Path, config: Any, subject: Subject, pixels: Pixels) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.target}_synthetic.nii.gz"
    slope = output_mapping(config).slope
    write_atomically(path, nifti_bytes(pixels, subject.affine, slope=slope))
    return path


def _tell(path: Path, generator: Generator, image: ImageRecord, device: str) -> None:
    """Write the JSON beside an image: what made it, from what, and that it is synthetic."""
    described, where = generator.describe(), environment(device)
    mapping = output_mapping(generator.config)
    making = Making(
        image=image.uuid,
        subject=path.parent.name,
        sequence=generator.config.target,
        model=generator.preset,
        weights_sha256=generator.weights_sha256,
        code_version=where["code_version"],
        record_sha256=GenerationRecord(described, where, (image,)).sha256,
        pixel_sha256=image.pixel_sha256,
        seed=image.seed,
        sources=image.sources,
        made_at=datetime.now(UTC),
        slope=mapping.slope,
        unit=UNITS.get(generator.config.target, "") if mapping.in_unit else "",
    )
    write_json(path.with_name(path.name.replace(".nii.gz", ".json")), sidecar(making))


def nifti_bytes(pixels: Pixels, affine: npt.NDArray[np.float64], *, slope: float = 1.0) -> bytes:
    """Return a gzipped NIfTI-1 file marked as synthetic; equal input gives equal bytes.

    Parameters
    ----------
    pixels : int16 ndarray (z, y, x)
    affine : ndarray (4, 4)
        Index (x, y, z) to RAS millimetres.
    slope : float
        What a level stands for: readers of the file multiply by it.
    """
    image = nib.Nifti1Image(np.ascontiguousarray(pixels.transpose(2, 1, 0)), affine)
    image.header["descrip"] = SYNTHETIC_NOTE.encode()
    image.header.set_xyzt_units("mm")
    content = bytearray(image.to_bytes())
    if slope != 1.0:  # nibabel would scale the values themselves
        struct.pack_into("=ff", content, _SLOPE_AT, slope, 0.0)
    return gzip.compress(bytes(content), compresslevel=6, mtime=0)
