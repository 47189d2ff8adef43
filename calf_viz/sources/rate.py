"""How fast a training goes: as fast as it can, in real time, or so many steps a second."""

from __future__ import annotations

import math
import re

from calf_viz.errors import UserError, shown

LEAST, MOST = 1e-3, 1e6


def steps_per_second(text: str, dt: float) -> float:
    """Steps a second of `max` (infinite), `realtime` (one each `dt` seconds) or `N/s`.

    Raises:
        UserError: it is none of these, or no training is as slow or as fast.
    """
    if text == "max":
        return math.inf
    if text == "realtime":
        return 1.0 / dt
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*/\s*s", text)
    if found is None:
        raise UserError(f"unknown train_rate '{shown(text)}': give max, realtime, or such as 200/s")
    rate = float(found[1])
    if not LEAST <= rate <= MOST:
        raise UserError(
            f"train_rate {shown(text)} is out of range: give {LEAST:g}/s to {MOST:.0f}/s, or max"
        )
    return rate
