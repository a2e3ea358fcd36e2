"""Residual networks (He 2016) as feature extractors, with the parameter names of torchvision.

Weights for these names exist for natural and for radiological images (RadImageNet). The last
layer is left out: the features are the average over the last map.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(channels_in, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, width, H/stride, W/stride)."""
        h = F.relu(self.bn1(self.conv1(x)))
        h = self.bn2(self.conv2(h))
        return F.relu(h + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut; the stride is at the 3x3."""

    expansion = 4

    def __init__(self, channels_in: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * self.expansion
        self.conv1 = nn.Conv2d(channels_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = _shortcut(channels_in, out, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, 4 width, H/stride, W/stride)."""
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        h = self.bn3(self.conv3(h))
        return F.relu(h + (x if self.downsample is None else self.downsample(x)))


def _shortcut(channels_in: int, out: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels_in == out:
        return None
    return nn.Sequential(nn.Conv2d(channels_in, out, 1, stride, bias=False), nn.BatchNorm2d(out))


class ResNet(nn.Module):
    """Stem 7x7 stride 2, pooling, four stages, mean over the map."""

    def __init__(
        self, block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, ...], base: int = 64
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, base, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(base)
        channels = base
        for number, depth in enumerate(depths):
            width, stride = base * 2**number, 1 if number == 0 else 2
            blocks: list[nn.Module] = []
            for place in range(depth):
                blocks.append(block(channels, width, stride if place == 0 else 1))
                channels = width * block.expansion
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
        self.dimension = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, dimension)."""
        h = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for number in range(1, 5):
            h = getattr(self, f"layer{number}")(h)
        return h.mean(dim=(2, 3))


def resnet18() -> ResNet:
    """512 features."""
    return ResNet(BasicBlock, (2, 2, 2, 2))


def resnet50() -> ResNet:
    """2048 features."""
    return ResNet(Bottleneck, (3, 4, 6, 3))
