"""What may be asked of a scoring; light, so that pages can import it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from readerstudy.core.errors import ReaderStudyError
from synthesis.finding import find_checkpoint
from synthesis.folders import extractors_folder
from synthesis.metrics.presets import PRESETS, find_preset
from synthesis.metrics.regions import BRAIN, REGIONS, SCHEMES, LabelScheme, parse_scheme
from synthesis.models import GenerationRun
from synthesis.segmenters import NETWORK

DEFAULT_PRESETS = ("plain", "brasyn", "calabrese2021")
MAP_PRESETS = ("quantitative", "wang2023")
MOST_IMAGES = 1000
SELF = "self"
BUILT_IN = "random-encoder"  # see synthesis.metrics.extractors, which loads PyTorch


@dataclass(frozen=True)
class ScoreOrder:
    """An order to score a generation run.

    Attributes
    ----------
    presets : tuple of str
        Of the paired scores; none for no paired scores.
    regions : tuple of str
    scheme : str
        "auto", a known scheme, or such as "necrosis=1 oedema=2 enhancing=4".
    segmenter : str
        "" for none, "command" for the operator's program, "network:" and a checkpoint or the name
        of its run, "uploaded:" and the name of uploaded label maps, or a folder of label maps.
    extractor : str
        For scores of sets; "" for none.
    training : str
        Folder of the training subjects; "" to look where they are known to be.
    images, every : int
        At most so many slices of a kind, and every such slice of a volume.
    seed : int
    """

    presets: tuple[str, ...] = DEFAULT_PRESETS
    regions: tuple[str, ...] = (BRAIN,)
    scheme: str = "auto"
    segmenter: str = ""
    extractor: str = ""
    training: str = ""
    images: int = MOST_IMAGES
    every: int = 4
    seed: int = 0
    draws: int = field(default=50)

    def checked(self) -> ScoreOrder:
        """Return the order with names and versions of presets.

        Raises
        ------
        ReaderStudyError
            If a preset, a region or the scheme is unknown, or nothing is asked for.
        """
        if unknown := [name for name in self.regions if name not in REGIONS]:
            raise ReaderStudyError(
                f"Unknown region {', '.join(unknown)}. Known: {', '.join(REGIONS)}."
            )
        if not (self.presets or self.extractor or self.segmenter):
            raise ReaderStudyError(
                f"Nothing to score. Name presets ({', '.join(PRESETS)}), an extractor for scores "
                "of the whole set, or where segmentations come from."
            )
        if min(self.images, self.every, self.draws) < 1:
            raise ReaderStudyError("Numbers of images, steps and draws must be at least 1.")
        try:
            self.label_scheme()
            labels = tuple(dict.fromkeys(find_preset(name).label for name in self.presets))
        except ValueError as error:
            raise ReaderStudyError(str(error)) from error
        found = {"presets": labels, "regions": self.regions, "segmenter": self._segmenter()}
        return ScoreOrder(**{**self.to_dict(), **found})

    def _segmenter(self) -> str:
        """Return the segmenter, a network by its identifier: names of runs may be used again."""
        kind, colon, name = self.segmenter.partition(":")
        if kind == NETWORK and colon:
            return f"{NETWORK}:{find_checkpoint(name).pk}"
        return self.segmenter

    def label_scheme(self) -> LabelScheme | None:
        """Return the scheme; None for "auto"."""
        if self.scheme == "auto":
            return None
        return SCHEMES.get(self.scheme) or parse_scheme(self.scheme)

    def to_dict(self) -> dict[str, Any]:
        """Return plain settings."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: dict[str, Any]) -> ScoreOrder:
        """Read `to_dict` back from JSON."""
        lists = {name: tuple(settings[name]) for name in ("presets", "regions") if name in settings}
        return cls(**{**settings, **lists})


def default_presets(run: GenerationRun) -> tuple[str, ...]:
    """Return the presets for what a run made: a map in its unit is not normalised."""
    generator = run.record.get("generation", {}).get("generator", {})
    in_unit = generator.get("output_mapping", {}).get("slope", 1.0) != 1.0
    return MAP_PRESETS if in_unit else DEFAULT_PRESETS


def extractor_names() -> list[str]:
    """Return the extractors that can be chosen; "self" is trained when it is first used, and the
    built-in one, whose weights are random, is always there.
    """
    found = {path.parent.name for path in extractors_folder().glob("*/extractor.json")}
    return [SELF, *sorted(found - {SELF}), BUILT_IN]
