"""Colours of the HUD: quiet, so that the data are the brightest thing in the picture."""

from dataclasses import dataclass

from calf_viz.hud.shape import Paint

BRIGHT = 0xE9EDF3
"""Titles and values."""
QUIET = 0x9BA7B6
"""Names of values, ticks."""
ACCENT = 0xF2C14E
"""What must not be missed, such as the pause."""
ALARM = 0xFF8A7A
"""Errors."""
GROUND = 0x262B35
"""Empty parts of a band."""
GOAL, CHANCE = 0xA78BFA, BRIGHT
"""Goals reached, and P_relax: different from all modes and the agent in training."""
FAINT = Paint(0xFFFFFF, 0.14)
"""Hairlines inside a panel."""
GROOVE = Paint(0xFFFFFF, 0.16)
"""The groove of a slider."""
TICK = Paint(QUIET, 0.9)
AXIS = Paint(0xC5CDD8, 0.75)
AXIS_INK = Paint(0x3A3F47, 0.75)
"""Axes on a bright background, and texts there."""
INK, PALE_INK = 0x23272E, 0x4A505A
BACKING = Paint(0x0B0E14, 0.80, border=1.0, border_colour=0x3A4352, border_opacity=0.85)
"""Behind all text, over bright and dark parts of the surface."""


@dataclass(frozen=True)
class OnGround:
    """Colours for text on the picture itself, without a backing."""

    line: Paint
    bright: int
    quiet: int


def on_ground(background: tuple[float, float, float]) -> OnGround:
    """Colours for a background: dark ink on bright, light on dark."""
    red, green, blue = background
    if 0.21 * red + 0.72 * green + 0.07 * blue > 0.5:
        return OnGround(AXIS_INK, INK, PALE_INK)
    return OnGround(AXIS, BRIGHT, QUIET)
