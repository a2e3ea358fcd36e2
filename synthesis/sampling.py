"""From the weights of an unconditional generator to images, a record of each, and a film.

Image by image, the seed alone decides: it is the seed of a generator of random numbers on the
processor (whatever the device of the network), from which the latent and then the noise are drawn.
Networks are run on batches of one fixed size, and arithmetic may round differently by the place
in a batch, so a record also names the place.

Real slices that are shown beside generated images take the same last step, `finished`: the same
levels, the same background of exactly 0.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from synthesis.data.hashing import content_sha256
from synthesis.generate import Generator, load_generator, nifti_bytes
from synthesis.manifest import Pixels, RecordError, Verification, environment, judged
from synthesis.networks.images import ImageConfig, ImageGenerator
from synthesis.networks.threads import spare_cores, using_threads
from synthesis.sample_record import SampleManifest, SampleRecord
from synthesis.training.checkpoints import write_atomically, write_json
from synthesis.training.contact_sheet import contact_sheet

RECORD_FILE, SHEET_FILE = "samples.json", "samples.png"
FINISH = "levels-4095, background below 0.05 and specks below 1/200 of the image are 0 / 1"
BATCH = 8
WHITE = 4095
MAX_SEED = 2**63 - 1

_BACKGROUND, _SPECK = 0.05, 1 / 200
_SHEET_IMAGES = 8

Images = npt.NDArray[np.float32]
OnImage = Callable[[int, int], None]


@dataclass(frozen=True)
class Drawn:
    """One drawn image: its record and its int16 levels (sequences, height, width)."""

    record: SampleRecord
    pixels: Pixels


def image_generator(generator: Generator) -> ImageGenerator:
    """Return the network of a generator of images.

    Raises
    ------
    ValueError
        If it makes its images from others.
    """
    if not isinstance(generator.network, ImageGenerator):
        raise ValueError(
            f"{generator.preset} makes images from images of a subject; it draws none from a seed."
        )
    return generator.network


def latents_of(network: ImageGenerator, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return latents (n, latent) and noises (n, m) of seeds, on the device of the network."""
    rows = []
    for seed in seeds:
        rng = torch.Generator().manual_seed(seed)
        rows.append((network.draw_latent(rng, 1), network.draw_noise(rng, 1)))
    latents, noises = (torch.cat(parts) for parts in zip(*rows, strict=True))
    device = network.pixel_mm.device
    return latents.to(device), noises.to(device)


def rendered(
    network: ImageGenerator, latents: Tensor, noises: Tensor, *, truncation: float
) -> Images:
    """Run the network on batches of `BATCH`, the last one filled up; keep the real channels.

    Returns
    -------
    float32 ndarray (n, sequences, size, size)
    """
    kept = len(network.settings.outputs)
    images = []
    with torch.inference_mode(), using_threads(min(torch.get_num_threads(), spare_cores())):
        for start in range(0, len(latents), BATCH):
            batch = [_filled(rows[start : start + BATCH]) for rows in (latents, noises)]
            made = network.render(*batch, truncation=truncation)[:, :kept]
            images.append(made.float().cpu())
    return torch.cat(images)[: len(latents)].numpy()


def _filled(rows: Tensor) -> Tensor:
    return torch.cat([rows, rows[-1:].expand(BATCH - len(rows), -1)])


def finished(image: npt.NDArray[np.floating]) -> Pixels:
    """Bring one image, real or generated, to the form in which it is stored.

    Levels are ``round(4095 (x + 1) / 2)``, cut to 0 to 4095. Background is what no sequence shows
    brighter than 5 % of white, after holes were filled and specks smaller than 1/200 of the image
    were dropped; it becomes exactly 0 in every sequence, and all else is at least 1.

    Parameters
    ----------
    image : float ndarray (sequences, height, width)
        -1 background to 1 white.

    Returns
    -------
    int16 ndarray (sequences, height, width)
    """
    share = np.clip((image.astype(np.float64) + 1) / 2, 0, 1)
    head = _head(share.max(axis=0) > _BACKGROUND)
    levels = np.maximum(np.rint(share * WHITE), 1)
    return np.where(head, levels, 0).astype(np.int16)


def _head(bright: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    filled = ndimage.binary_fill_holes(bright)
    parts, count = ndimage.label(filled)
    if not count:
        return np.zeros_like(bright)
    sizes = np.bincount(parts.ravel())
    large = sizes >= _SPECK * bright.size
    large[0] = False
    kept: npt.NDArray[np.bool_] = large[parts]
    return kept


def draw(generator: Generator, seeds: Sequence[int], *, truncation: float = 1.0) -> list[Drawn]:
    """Make an image for each seed.

    Parameters
    ----------
    generator : Generator
    seeds : sequence of int
        From 0 to 2^63 - 1.
    truncation : float
        0 the mean image to 1 the whole variety; generators without it take 1 only.

    Raises
    ------
    ValueError
        If the generator is not one of images, or a seed or the truncation is out of range.
    """
    network = image_generator(generator)
    _check(seeds, truncation)
    latents, noises = latents_of(network, seeds)
    images = rendered(network, latents, noises, truncation=truncation)
    return [
        _drawn(image, seed, n % BATCH)
        for n, (image, seed) in enumerate(zip(images, seeds, strict=True))
    ]


def _check(seeds: Sequence[int], truncation: float) -> None:
    if not seeds:
        raise ValueError("Give at least one seed.")
    if min(seeds) < 0 or max(seeds) > MAX_SEED:
        raise ValueError(f"Seeds lie between 0 and {MAX_SEED}.")
    if not 0.0 <= truncation <= 1.0:
        raise ValueError(f"The truncation lies between 0 and 1, got {truncation:g}.")


def _drawn(image: Images, seed: int, place: int) -> Drawn:
    pixels = finished(image)
    record = SampleRecord(
        str(uuid.uuid4()), seed, place, list(pixels.shape), content_sha256(pixels)
    )
    return Drawn(record, pixels)


def new_manifest(generator: Generator, *, truncation: float) -> SampleManifest:
    """Return the manifest of a generator on its device, without images yet."""
    network = image_generator(generator)
    described = generator.describe()
    return SampleManifest(
        generator={
            "preset": described["preset"],
            "network": described["network"],
            "weights_sha256": described["weights_sha256"],
            "sequences": list(network.settings.outputs),
            "pixel_mm": pixel_mm(network),
        },
        drawing={"truncation": float(truncation), "batch": BATCH, "finish": FINISH},
        environment=environment(generator.device),
        images=(),
    )


def pixel_mm(network: ImageGenerator) -> list[float]:
    """Return height and width of a pixel, in millimetres, as they are stored."""
    return [round(float(mm), 6) for mm in network.pixel_mm.cpu()]


def redraw(manifest: SampleManifest, image_uuid: str, generator: Generator) -> Pixels:
    """Make an image of a record again.

    Raises
    ------
    RecordError
        If the weights, or the way images are finished, are not those of the record.
    """
    record = manifest.image(image_uuid)
    if generator.weights_sha256 != manifest.generator["weights_sha256"]:
        raise RecordError("The generator at hand has other weights than the record names.")
    if (manifest.drawing["batch"], manifest.drawing["finish"]) != (BATCH, FINISH):
        raise RecordError("The image was finished by another version of this program.")
    network = image_generator(generator)
    latents, noises = latents_of(network, [record.seed] * (record.place + 1))
    truncation = manifest.drawing["truncation"]
    return finished(rendered(network, latents, noises, truncation=truncation)[record.place])


def verify_sample(
    manifest: SampleManifest,
    image_uuid: str,
    generator: Generator,
    *,
    pixels: Pixels | None = None,
    tolerance: int = 0,
) -> Verification:
    """Prove that a record gives its image again; see `synthesis.manifest.verify`.

    Raises
    ------
    RecordError
        If generator or ``pixels`` are not those of the record.
    """
    again = redraw(manifest, image_uuid, generator)
    return judged(again, manifest.image(image_uuid).pixel_sha256, pixels, tolerance)


def draw_to_folder(
    run: Path,
    out_dir: Path,
    seeds: Sequence[int],
    *,
    truncation: float = 1.0,
    device: str = "cpu",
    on_image: OnImage | None = None,
) -> SampleManifest:
    """Draw images from a run into a folder.

    Writes ``<out_dir>/<number>/<sequence>_synthetic.nii.gz``, the record ``samples.json`` and the
    sheet ``samples.png``, on which the sequences of one latent lie below each other.

    Parameters
    ----------
    run : Path
        Run folder or weights file.
    out_dir : Path
    seeds, truncation
        See `draw`.
    device : str
    on_image : callable, optional
        Called with (images done, of).
    """
    generator = load_generator(run, device=device)
    manifest = new_manifest(generator, truncation=truncation)
    affine = plane_affine(image_generator(generator))
    shown: list[Pixels] = []
    for start in range(0, len(seeds), BATCH):
        made = draw(generator, seeds[start : start + BATCH], truncation=truncation)
        for number, one in enumerate(made, start=start + 1):
            _write(out_dir / f"{number:05d}", manifest.generator["sequences"], one.pixels, affine)
        shown += [one.pixels for one in made][: _SHEET_IMAGES - len(shown)]
        manifest = manifest.with_images([one.record for one in made])
        write_json(out_dir / RECORD_FILE, manifest.to_dict())
        if on_image:
            on_image(start + len(made), len(seeds))
    title = f"SYNTHETIC, one column is one latent: {', '.join(manifest.generator['sequences'])}"
    sheet = contact_sheet([(title, np.stack(shown) / (WHITE / 2) - 1)])
    write_atomically(out_dir / SHEET_FILE, sheet)
    return manifest


def _write(
    folder: Path, sequences: Sequence[str], pixels: Pixels, affine: npt.NDArray[np.float64]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for sequence, image in zip(sequences, pixels, strict=True):
        content = nifti_bytes(image[None], affine)
        write_atomically(folder / f"{sequence}_synthetic.nii.gz", content)


def plane_affine(network: ImageGenerator) -> npt.NDArray[np.float64]:
    """Return the matrix from index (column, row, slice) to RAS millimetres of a drawn slice.

    The slice lies through the origin in its plane. Columns run towards the patient's left (axial,
    coronal) or posterior (sagittal), rows towards posterior (axial) or inferior.
    """
    settings: ImageConfig = network.settings
    height, width = pixel_mm(network)
    column = {"axial": 0, "coronal": 0, "sagittal": 1}[settings.plane]
    row = {"axial": 1, "coronal": 2, "sagittal": 2}[settings.plane]
    affine = np.zeros((4, 4))
    affine[column, 0], affine[row, 1], affine[3, 3] = -width, -height, 1.0
    affine[({0, 1, 2} - {column, row}).pop(), 2] = 1.0
    middle = (settings.size - 1) / 2
    affine[column, 3], affine[row, 3] = middle * width, middle * height
    return affine


def network_of(generator: Generator) -> ImageConfig:
    """Return the settings of a generator of images."""
    return image_generator(generator).settings
