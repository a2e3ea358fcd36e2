"""Discriminators of patches: they say of every place how real it looks (pix2pix, Isola 2017)."""

from __future__ import annotations

from torch import Tensor, nn

_SLOPE = 0.2

Size = int | tuple[int, int, int]


class PatchJudge(nn.Module):
    """Convolutions with stride that double the channels, then one of stride 1 to one channel.

    Instance norm after all but the first and the last, leaky ReLU after all but the last.

    Parameters
    ----------
    channels : int
        Of what is judged.
    width : int
        Channels after the first convolution.
    depth : int
        Convolutions with stride.
    kernel, stride, padding : int or (int, int, int)
    """

    def __init__(
        self, channels: int, width: int, depth: int, *, kernel: Size, stride: Size, padding: Size
    ) -> None:
        super().__init__()
        self.depth = depth
        self.least = [2 * step**depth if step > 1 else 1 for step in _each(stride)]
        self.layers = nn.ModuleList()
        for number in range(depth):
            wider = width * 2**number
            conv = nn.Conv3d(channels, wider, kernel, stride=stride, padding=padding)
            norm = nn.InstanceNorm3d(wider) if number else nn.Identity()
            self.layers.append(nn.Sequential(conv, norm, nn.LeakyReLU(_SLOPE)))
            channels = wider
        self.layers.append(nn.Conv3d(channels, 1, kernel, padding=padding))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the features of every layer, the verdict last.

        Raises
        ------
        ValueError
            If the images are too small for that many layers.
        """
        short = [n for n, least in zip(x.shape[2:], self.least, strict=True) if n < least]
        if short:
            raise ValueError(
                f"Images of {tuple(x.shape[2:])} voxels are too small for a discriminator with "
                f"judge_layers={self.depth}, which needs {tuple(self.least)}. Set fewer "
                "judge_layers, or larger patches."
            )
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


def _each(size: Size) -> tuple[int, ...]:
    return (size,) * 3 if isinstance(size, int) else size
