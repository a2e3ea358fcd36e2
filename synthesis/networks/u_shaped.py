"""The way through a 3-D U-Net: down with skips, up with what was skipped, a start added."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthesis.networks.translation import TranslationConfig, check_volume


class UShaped3D(nn.Module):
    """A U-Net whose class makes the levels; ``encoder`` has one more than the other three.

    Attributes
    ----------
    config : TranslationConfig
    encoder, down, up, decoder : ModuleList
        By level, the finest first.
    head : Module
        To the one channel of the target.
    """

    config: TranslationConfig
    encoder: nn.ModuleList
    down: nn.ModuleList
    up: nn.ModuleList
    decoder: nn.ModuleList
    head: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """Predict the target.

        Parameters
        ----------
        x : Tensor (B, inputs, z, y, x)
            z-scores; sizes multiples of ``config.multiples``.

        Returns
        -------
        Tensor (B, 1, z, y, x)

        Raises
        ------
        ValueError
            If the shape does not fit.
        """
        check_volume(x, channels=len(self.config.inputs), multiples=self.config.multiples)
        predicted: Tensor = self.head(self._decode(*self._encode(x)))
        start = self.config.residual(x)
        return predicted if start is None else start + predicted

    def _encode(self, h: Tensor) -> tuple[Tensor, list[Tensor]]:
        skips = []
        for level, down in zip(self.encoder, self.down, strict=False):
            h = level(h)
            skips.append(h)
            h = down(h)
        return self.encoder[-1](h), skips

    def _decode(self, h: Tensor, skips: Sequence[Tensor]) -> Tensor:
        for level in reversed(range(len(skips))):
            h = self.decoder[level](torch.cat([self.up[level](h), skips[level]], dim=1))
        return h
