"""The model card: what a generator is, what it was made from, how well it does, what it is for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import nn

from synthesis.data.splits import Split
from synthesis.manifest import environment
from synthesis.networks.registry import find_preset
from synthesis.training import parallel
from synthesis.training.config import TrainingConfig
from synthesis.training.journal import finite_or_none
from synthesis.training.learner import GENERATING, Purpose, Validation

SCHEMA = "readerstudy-model-card/1"


def model_card(
    *,
    config: TrainingConfig,
    network: nn.Module,
    split: Split,
    validation: Validation,
    step: int,
    seconds: float,
    weights_sha256: str,
    images_per_second: float = float("nan"),
    stopping: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
    purpose: Purpose = GENERATING,
) -> dict[str, Any]:
    """Return the card as JSON values; it holds no path of the machine.

    Parameters
    ----------
    config : TrainingConfig
    network : Module
        The released network.
    split : Split
    validation : Validation
        Its last scores.
    step, seconds : int, float
        Steps done; wall-clock seconds they took, over all sessions.
    weights_sha256 : str
        Of the weights file.
    images_per_second : float
        Training images, over all processes; NaN if not measured.
    stopping : dict, optional
        What was watched to stop early and how that went; see `EarlyStop.facts`.
    more : dict, optional
        What the way of training adds.
    purpose : Purpose
        What the network is for.
    """
    return {
        "schema": SCHEMA,
        "preset": config.preset,
        "summary": find_preset(config.preset).summary,
        "architecture": _architecture(config, network),
        "training": {
            **_settings(config),
            "steps": step,
            "wall_seconds": round(seconds, 1),
            "images_per_second": finite_or_none(round(images_per_second, 3)),
            "stopping": stopping,
        },
        "data": _data(split),
        "environment": environment(config.device),
        "validation": {
            "subjects_scored": len(validation.subjects),
            "scores": [finite_or_none(asdict(score)) for score in validation.scores],
        },
        "weights_sha256": weights_sha256,
        "do_nothing": purpose.nothing,
        "intended_use": purpose.intended_use,
        "limits": list(purpose.limits),
        "more": more or {},
    }


def _architecture(config: TrainingConfig, network: nn.Module) -> dict[str, Any]:
    return {
        "class": type(network).__name__,
        "parameters": parameter_count(network),
        "settings": asdict(config.network_config()),
    }


def _data(split: Split) -> dict[str, Any]:
    return {
        "split_sha256": split.sha256,
        "training_subjects": len(split.names("train")),
        "validation_subjects": len(split.names("validation")),
    }


def _settings(config: TrainingConfig) -> dict[str, Any]:
    return {
        "settings": config.to_dict(),
        "objective": asdict(config.objective_settings()),
        "seed": config.seed,
        "started_from_weights_sha256": config.parent,
        "processes": parallel.size(),
    }


def parameter_count(network: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(p.numel() for p in network.parameters())


def card_markdown(card: dict[str, Any]) -> str:
    """Render a card for people."""
    architecture, training, data = card["architecture"], card["training"], card["data"]
    facts = {
        "Preset": card["preset"],
        "Network": f"{architecture['class']}, {architecture['parameters']:,} parameters",
        "Weights (sha256)": f"`{card['weights_sha256']}`",
        "Data split (sha256)": f"`{data['split_sha256']}`",
        "Subjects": f"{data['training_subjects']} training, {data['validation_subjects']} held out",
        "Training": f"{training['steps']} steps in {training['wall_seconds']:.0f} s, "
        f"seed {training['seed']}",
        "Stopped": _ending(training),
        "Made with": "readerstudy {code_version}, PyTorch {torch}, {device}".format(
            **card["environment"]
        ),
    }
    parts = [
        f"# Model card: {card['preset']}",
        card["summary"] + ".",
        _table(("", ""), list(facts.items())),
        "## Scores on held-out subjects",
        f"Means over {card['validation']['subjects_scored']} subjects. *Do nothing* is "
        f"{card['do_nothing']}.",
        _table(("score", "preset", "region", "unit", "value", "do nothing"), _score_rows(card)),
        "## Intended use",
        card["intended_use"],
        "## Limits",
        "\n".join(f"- {limit}" for limit in card["limits"]),
    ]
    return "\n\n".join(parts) + "\n"


def _ending(training: dict[str, Any]) -> str:
    watched = training.get("stopping")
    if not watched:
        return "at the end of its steps"
    released = f"weights released are those of step {watched['best_step']}"
    if watched["stopped_early"]:
        return (
            f"early: {watched['metric']} had not improved in {watched['patience']} validations; "
            f"{released}"
        )
    return f"at the end of its steps; best {watched['metric']} watched, {released}"


def _score_rows(card: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            score["metric"],
            score["preset"],
            score["region"],
            score["unit"],
            _number(score["value"]),
            _number(score["do_nothing"]),
        )
        for score in card["validation"]["scores"]
    ]


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
