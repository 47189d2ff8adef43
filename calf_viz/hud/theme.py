"""Colours of the HUD: quiet, so that the data are the brightest thing in the picture."""

from calf_viz.hud.shape import Paint

BRIGHT = 0xE9EDF3
"""Titles and values."""
QUIET = 0x9BA7B6
"""Names of values, ticks."""
ACCENT = 0xF2C14E
"""What one must not miss: that it is paused."""
ALARM = 0xFF8A7A
"""What is broken."""
FAINT = Paint(0xFFFFFF, 0.14)
"""Hairlines inside a panel."""
GROOVE = Paint(0xFFFFFF, 0.16)
"""What a slider's knob runs in."""
TICK = Paint(QUIET, 0.9)
AXIS = Paint(0xC5CDD8, 0.75)
BACKING = Paint(0x0B0E14, 0.80, border=1.0, border_colour=0x3A4352, border_opacity=0.85)
"""Behind all text, over bright and dark parts of the surface alike."""
