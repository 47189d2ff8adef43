"""How crowds stay legible: the more trails overlap, the finer and the more transparent they are.

Two numbers say how full a picture is, both relative to the area of the plane in it, as if
everything were spread evenly: `overlap`, the area of all trails, and `cover`, that of all markers.
Up to 20 agents are drawn in full. Beyond, width, opacity, radius and the order of depth follow
these numbers continuously.

    order of depth    few agents: by agent, an agent's trail above those before it
                      a crowd: by age, newer parts of all trails above older parts of all

Trails are drawn agent by agent, and write depth: what is drawn later but is older is hidden. Where
n of them lie over a pixel in no particular order of age, those that blend are the ones newer than
all before, ln n + 0.6 of them on average: the picture shows the logarithm of the density. Blending
all of them would either saturate where many agents meet, or leave single trails invisible.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

DEPTH_BIAS = 1e-3  # NDC; a trail takes up to 2.5 times as much, a marker up to 4 times
SHARED = 1.5  # of a trail, in multiples of it: by agent and by age


class Crowd(NamedTuple):
    """How a picture is drawn that is full to some degree.

    Attributes:
        width: factor on the width of trails.
        radius: factor on the radius of markers.
        opacity: factors on the opacity of trails and of markers.
        by_age: 0: depth orders trails by agent; 1: by age.
        casing: width of the outline on each side of a trail [px]; little in a crowd, which would
            become all outline, and enough to keep trails apart that touch.
    """

    width: float
    radius: float
    opacity: tuple[float, float]
    by_age: float
    casing: float

    @classmethod
    @lru_cache(maxsize=8)
    def of(
        cls,
        overlap: float,
        cover: float,
        thinnest: float,
        smallest: float,
        usual: float | None = None,
    ) -> Crowd:
        """The style of a picture this full: kept, as most frames ask for that of the last.

        thinnest, smallest: the least factors on width and radius that a picture can show; beyond,
        opacity stands in for them. usual: `thinnest` in a picture of the usual size: in smaller
        ones opacity stands in from there on, as the same trails fill more of them."""
        width, radius = fall(overlap, *WIDTH), fall(cover, *RADIUS)
        shown, dimmed = max(width, thinnest), min(radius / smallest, 1.0)
        thinner = min(max(width, usual or thinnest) / shown, 1.0)
        return cls(
            shown,
            max(radius, smallest),
            (fall(overlap, *OPACITY) * thinner, dimmed * dimmed),
            1.0 - fall(overlap, *ORDER),
            CASING * fall(overlap, *CASED),
        )

    @property
    def depth_bias(self) -> tuple[float, float]:
        """What depth trails share [NDC]: among agents, and from their oldest part to the newest."""
        by_age = DEPTH_BIAS * (0.5 + self.by_age)
        return SHARED * DEPTH_BIAS - by_age, by_age


# Fullness at which each begins to fall, and the power of it with which it falls in the end.
WIDTH = (0.5, 0.7)
RADIUS = (0.1, 0.5)
OPACITY = (0.5, 0.3)
ORDER = (1.0, 2.0)
CASED = (2.0, 1.0)
CASING = 1.1  # width of a trail's outline where there is no crowd [px]
FEW, SOME = 20, 30  # agents that are no crowd at all, and how many more are half of one


def among(agents: int) -> float:
    """Weight of this number of agents, 0 to 1: a few, though in one place, are not a crowd."""
    more = max(agents - FEW, 0)
    return more**2 / (more**2 + SOME**2)


def fall(fullness: float, knee: float, power: float) -> float:
    """1 for an empty picture; well beyond the knee (fullness / knee) ** -power."""
    return float((1.0 + (fullness / knee) ** 2) ** (-0.5 * power))
