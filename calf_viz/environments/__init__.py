"""Gymnasium: our systems as its environments, and its environments as systems of ours.

Importing this makes `gymnasium.make("calf_viz/PointMass-v0")` work, if gymnasium is there.
"""

from contextlib import suppress

from calf_viz.environments.registration import IDS, register

__all__ = ["IDS", "register"]

with suppress(ImportError):
    register()
