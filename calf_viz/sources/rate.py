"""The speed of a training: as fast as possible, real time, or a number of steps per second."""

from __future__ import annotations

import math
import re

from calf_viz.errors import UserError, shown

LEAST, MOST = 1e-3, 1e6


def steps_per_second(text: str, dt: float, name: str = "train_rate") -> float:
    """Steps per second for `max` (infinite), `realtime` (one every `dt` seconds) or `N/s`.

    name: of the setting.

    Raises:
        UserError: it is none of these, or out of range.
    """
    if text == "max":
        return math.inf
    if text == "realtime":
        return 1.0 / dt
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*/\s*s", text)
    if found is None:
        number = re.fullmatch(r"[0-9]*\.?[0-9]+", text)
        wanted = f"write {shown(text)}/s" if number else "give max, realtime, or such as 200/s"
        raise UserError(f"unknown {name} '{shown(text)}': {wanted}")
    rate = float(found[1])
    if not LEAST <= rate <= MOST:
        raise UserError(
            f"{name} {shown(text)} is out of range: give {LEAST:g}/s to {MOST:.0f}/s, or max"
        )
    return rate
