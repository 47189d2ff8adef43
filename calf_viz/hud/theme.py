"""The meanings of the HUD's colours: the scene's theme says which they are when they are drawn."""

from calf_viz.scene.paint import Tone

BRIGHT, QUIET = Tone("bright"), Tone("quiet")
"""Titles and values; names of values, ticks."""
ACCENT, ALARM = Tone("accent"), Tone("alarm")
"""What must not be missed, such as the pause; errors."""
GROUND = Tone("ground")
"""Empty parts of a band."""
GOAL, CHANCE = Tone("goal"), Tone("chance")
"""Goals reached, and P_relax: different from all modes and the agent in training."""
FAINT, GROOVE, TICK, BACKING = Tone("faint"), Tone("groove"), Tone("tick"), Tone("backing")
"""Fills: hairlines inside a panel, a slider's groove, a colour bar's ticks, what is behind text."""
