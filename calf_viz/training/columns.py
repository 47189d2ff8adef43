"""Columns of the CSV files that a training writes."""

from calf_viz.agent.modes import NAMES

METRICS = ("episode", "steps", "return", "goal", *NAMES, "p_relax")
"""One line per episode; the modes are counts of steps."""
CERTIFICATE = ("step", "mode", "q_plus", "floor", "ceiling", "reward")
"""One line per step."""
