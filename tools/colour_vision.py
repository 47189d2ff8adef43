"""How far colours are apart, also for people who cannot tell some of them apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009: full severity, for linear RGB.
DEFICIENCIES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)  # D65

Colours = NDArray[np.float64]


def linear(srgb: Colours) -> Colours:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def encoded(rgb: Colours) -> Colours:
    """sRGB of linear RGB."""
    return np.where(
        rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.maximum(rgb, 0.0) ** (1 / 2.4) - 0.055
    )


def deficient(linear_rgb: Colours, deficiency: str) -> Colours:
    """Linear RGB (..., 3) that looks to everyone as the given one does with a deficiency."""
    return np.clip(linear_rgb @ np.array(DEFICIENCIES[deficiency]).T, 0.0, 1.0)


def picture_seen(pixels: NDArray[np.uint8], deficiency: str) -> NDArray[np.uint8]:
    """A picture (..., 3) as someone with a deficiency sees it."""
    there = linear(np.arange(256) / 255.0)[pixels]
    return np.rint(255 * encoded(deficient(there, deficiency))).astype(np.uint8)


def lab(linear_rgb: Colours) -> Colours:
    """CIELAB of linear RGB (..., 3)."""
    ratio = linear_rgb @ np.array(TO_XYZ).T / WHITE
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def seen(colours: Sequence[Sequence[float]], deficiency: str | None = None) -> Colours:
    """CIELAB of sRGB colours (n, 3) as someone with a deficiency sees them."""
    there = linear(np.asarray(colours, np.float64))
    if deficiency is not None:
        there = deficient(there, deficiency)
    return lab(there)


def ciede2000(one: Colours, other: Colours) -> Colours:
    """Difference of CIELAB colours (..., 3), by Sharma, Wu and Dalal, 2005."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    mean = 0.5 * (np.hypot(a1, b1) + np.hypot(a2, b2))
    g = 0.5 * (1.0 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    a1, a2 = (1.0 + g) * a1, (1.0 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = (h2 - h1 + 180) % 360 - 180
    dl, dc = l2 - l1, c2 - c1
    dh = np.where(grey, 0.0, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2))
    ml, mc = 0.5 * (l1 + l2), 0.5 * (c1 + c2)
    far = np.abs(h1 - h2) > 180
    mh = np.where(far, 0.5 * (h1 + h2 + 360 * np.where(h1 + h2 < 360, 1, -1)), 0.5 * (h1 + h2))
    mh = np.where(grey, h1 + h2, mh)
    t = (
        1 - 0.17 * np.cos(np.radians(mh - 30)) + 0.24 * np.cos(np.radians(2 * mh))
        + 0.32 * np.cos(np.radians(3 * mh + 6)) - 0.20 * np.cos(np.radians(4 * mh - 63))
    )  # fmt: skip
    sl = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    rc = 2 * np.sqrt(mc**7 / (mc**7 + 25.0**7))
    rt = -np.sin(np.radians(60 * np.exp(-(((mh - 275) / 25) ** 2)))) * rc
    return np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * (dc / sc) * (dh / sh))


def least_apart(colours: Sequence[Sequence[float]], deficiency: str | None = None) -> float:
    """The least difference of any two."""
    there = seen(colours, deficiency)
    apart = ciede2000(there[:, None], there[None])
    return float(apart[np.triu_indices(len(there), 1)].min())
