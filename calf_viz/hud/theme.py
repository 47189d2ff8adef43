"""Colours of the HUD: quiet, so that the data are the brightest thing in the picture."""

from dataclasses import dataclass

from calf_viz.hud.shape import Paint

BRIGHT = 0xE9EDF3
"""Titles and values."""
QUIET = 0x9BA7B6
"""Names of values, ticks."""
ACCENT = 0xF2C14E
"""What one must not miss: that it is paused."""
ALARM = 0xFF8A7A
"""What is broken."""
GROUND = 0x262B35
"""Of a band where there is nothing."""
GOAL, CHANCE = 0xA78BFA, BRIGHT
"""Goals reached, and P_relax: colours that are no mode's, nor the training agent's."""
FAINT = Paint(0xFFFFFF, 0.14)
"""Hairlines inside a panel."""
GROOVE = Paint(0xFFFFFF, 0.16)
"""What a slider's knob runs in."""
TICK = Paint(QUIET, 0.9)
AXIS = Paint(0xC5CDD8, 0.75)
AXIS_INK = Paint(0x3A3F47, 0.75)
"""The same on bright ground; and what is written there."""
INK, PALE_INK = 0x23272E, 0x4A505A
BACKING = Paint(0x0B0E14, 0.80, border=1.0, border_colour=0x3A4352, border_opacity=0.85)
"""Behind all text, over bright and dark parts of the surface alike."""


@dataclass(frozen=True)
class OnGround:
    """What is written on the picture itself, without a backing."""

    line: Paint
    bright: int
    quiet: int


def on_ground(background: tuple[float, float, float]) -> OnGround:
    """For a background of these components: ink on paper, or light on the dark."""
    red, green, blue = background
    if 0.21 * red + 0.72 * green + 0.07 * blue > 0.5:
        return OnGround(AXIS_INK, INK, PALE_INK)
    return OnGround(AXIS, BRIGHT, QUIET)
