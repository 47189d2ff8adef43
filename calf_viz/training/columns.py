"""Columns of the CSV files that a training leaves."""

from calf_viz.agent.modes import NAMES

METRICS = ("episode", "steps", "return", "goal", *NAMES, "p_relax")
"""A line an episode; the modes are counts of steps."""
CERTIFICATE = ("step", "mode", "q_plus", "floor", "ceiling", "reward")
"""A line a step."""
