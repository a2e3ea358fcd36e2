"""Layers of StyleGAN2 (Karras 2020, arXiv 1912.04958), written from the paper's equations.

Equalised learning rate: stored weights are N(0, 1) / m and used as ``w m / sqrt(fan_in)``, m the
multiplier of the layer's learning rate. Activations are ``sqrt(2) LeakyReLU(x + b, 0.2)``.

The FIR filter of every resampling is f = [1, 3, 3, 1] in both directions. It is applied one axis
at a time as sums of shifted copies: linear, so that a second derivative costs no more than a
first, and elementwise, so that a compiler can fuse it. Doubling by f needs no inserted zeros: of
the four taps two meet a zero, so even samples are ``(x[i-1] + 3 x[i]) / 4`` and odd ones
``(3 x[i] + x[i+1]) / 4`` (the polyphase form).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects

LEAK, GAIN = 0.2, math.sqrt(2.0)
_TINY = 1e-8


def activate(x: Tensor) -> Tensor:
    """Return ``sqrt(2) LeakyReLU(x, 0.2)``: keeps the variance of normal inputs near 1."""
    return F.leaky_relu(x, LEAK) * GAIN


def smooth_axis(x: Tensor, axis: int, *, gain: float = 1.0) -> Tensor:
    """Filter one axis with ``gain [1, 3, 3, 1] / 8``, no padding: length n becomes n - 3."""
    n = x.shape[axis] - 3
    outer = x.narrow(axis, 0, n) + x.narrow(axis, 3, n)
    inner = x.narrow(axis, 1, n) + x.narrow(axis, 2, n)
    return (outer + 3.0 * inner) * (gain / 8.0)


def smooth(x: Tensor, *, padding: int, gain: float = 1.0) -> Tensor:
    """Filter both axes of (B, C, H, W) after padding with zeros; sides become n + 2 padding - 3."""
    padded = F.pad(x, (padding,) * 4)
    return smooth_axis(smooth_axis(padded, 2, gain=gain), 3, gain=gain)


def double_axis(x: Tensor, axis: int) -> Tensor:
    """Double one axis by the polyphase form of f; beyond the ends the signal is zero."""
    zero = torch.zeros_like(x.narrow(axis, 0, 1))
    n = x.shape[axis]
    before = torch.cat([zero, x.narrow(axis, 0, n - 1)], dim=axis)
    after = torch.cat([x.narrow(axis, 1, n - 1), zero], dim=axis)
    pair = torch.stack([before + 3.0 * x, 3.0 * x + after], dim=axis + 1)
    return pair.flatten(axis, axis + 1) / 4.0


def double(x: Tensor) -> Tensor:
    """Map (B, C, H, W) to (B, C, 2H, 2W)."""
    return double_axis(double_axis(x, 2), 3)


def halve_axis(x: Tensor, axis: int) -> Tensor:
    """Filter one axis by f / 8 after padding 1 on both sides, and keep every second sample.

    Sample i is ``(x[2i-1] + 3 x[2i] + 3 x[2i+1] + x[2i+2]) / 8``.
    """
    pairs = x.reshape(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :])
    even, odd = pairs.select(axis + 1, 0), pairs.select(axis + 1, 1)
    zero = torch.zeros_like(even.narrow(axis, 0, 1))
    n = even.shape[axis]
    odd_before = torch.cat([zero, odd.narrow(axis, 0, n - 1)], dim=axis)
    even_after = torch.cat([even.narrow(axis, 1, n - 1), zero], dim=axis)
    return (odd_before + 3.0 * (even + odd) + even_after) / 8.0


def halve(x: Tensor) -> Tensor:
    """Map (B, C, H, W), sides even, to (B, C, H/2, W/2)."""
    return halve_axis(halve_axis(x, 2), 3)


class Dense(nn.Module):
    """``activation(x (m W / sqrt(fan_in))^T + m b)``, x (B, fan_in) to (B, fan_out)."""

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        *,
        active: bool = False,
        multiplier: float = 1.0,
        bias: float = 0.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in) / multiplier)
        self.bias = nn.Parameter(torch.full((fan_out,), bias / multiplier))
        self.scale, self.multiplier, self.active = (
            multiplier / math.sqrt(fan_in),
            multiplier,
            active,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, fan_in) to (B, fan_out)."""
        y = F.linear(x, self.weight * self.scale, self.bias * self.multiplier)
        return activate(y) if self.active else y


class Conv(nn.Module):
    """Equalised convolution, side 1 or 3, that may halve the image; bias and activation optional.

    With ``down`` the image is filtered by f first: pad 2, filter, 3x3 stride 2 without padding;
    a 1x1 is applied to the halved image, which is the same and cheaper.
    """

    def __init__(
        self, fan_in: int, fan_out: int, side: int, *, down: bool = False, active: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in, side, side))
        self.bias = nn.Parameter(torch.zeros(fan_out)) if active else None
        self.scale, self.side, self.down = 1.0 / math.sqrt(fan_in * side**2), side, down

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, fan_in, H, W) to (B, fan_out, H, W), or half the sides."""
        weight = self.weight * self.scale
        if not self.down:
            y = F.conv2d(x, weight, self.bias, padding=self.side // 2)
        elif self.side == 1:
            y = F.conv2d(halve(x), weight, self.bias)
        else:
            y = F.conv2d(smooth(x, padding=2), weight, self.bias, stride=2)
        return y if self.bias is None else activate(y)


class ModulatedConv(nn.Module):
    """Convolution whose weights are scaled by a style and brought back to unit norm.

    Karras 2020, eqs. 1 and 3, with style s (B, I) and weight W (O, I, k, k)::

        W'  = s_i W_oik                      modulate
        W'' = W' / sqrt(sum_ik W'^2 + 1e-8)  demodulate
        y   = conv(x, W'')

    computed without a weight per image: ``y = d * conv(s * x, W)`` with
    ``d_o = 1 / sqrt(sum_i s_i^2 sum_k W_oik^2 + 1e-8)``, which is the same.

    With ``up`` the side doubles: transposed convolution of stride 2, then f with gain 4.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        side: int,
        *,
        style: int,
        up: bool = False,
        demodulate: bool = True,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in, side, side))
        self.affine = Dense(style, fan_in, bias=1.0)
        self.scale, self.side = 1.0 / math.sqrt(fan_in * side**2), side
        self.up, self.demodulate = up, demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (B, I, H, W) and (B, style) to (B, O, H, W), or twice the sides."""
        style = self.affine(w)
        weight = self.weight * self.scale
        y = self._convolve(x * style[:, :, None, None], weight)
        if not self.demodulate:
            return y
        energy = style.square() @ weight.square().sum(dim=(2, 3)).T
        return y * torch.rsqrt(energy + _TINY)[:, :, None, None]

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if not self.up:
            return F.conv2d(x, weight, padding=self.side // 2)
        wide = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
        return smooth(wide, padding=1, gain=2.0)


def minibatch_deviation(x: Tensor, *, group: int) -> Tensor:
    """Append one channel: how much the images of a group differ (Karras 2018, section 3).

    Images i, i + B/g, i + 2 B/g ... form a group of g. The standard deviation over the group,
    averaged over channels and pixels, fills the channel.

    Parameters
    ----------
    x : Tensor (B, C, H, W)
    group : int
        Size of a group wished for; the largest divisor of B not above it is used.

    Returns
    -------
    Tensor (B, C + 1, H, W)
    """
    batch, _, height, width = x.shape
    size = next(g for g in range(min(group, batch), 0, -1) if batch % g == 0)
    grouped = x.reshape(size, batch // size, *x.shape[1:]).float()
    variance = (grouped - grouped.mean(dim=0)).square().mean(dim=0)
    level = (variance + _TINY).sqrt().mean(dim=(1, 2, 3)).repeat(size)
    plane = level[:, None, None, None].expand(batch, 1, height, width).to(x.dtype)
    return torch.cat([x, plane], dim=1)
