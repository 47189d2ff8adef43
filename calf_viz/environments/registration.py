"""Registers this package's systems in Gymnasium."""

from __future__ import annotations

IDS = {
    "calf_viz/PointMass-v0": "point_mass",
    "calf_viz/Pendulum-v0": "pendulum",
    "calf_viz/DifferentialDrive-v0": "differential_drive",
}


def register() -> None:
    """Make them known to `gymnasium.make`; those that are stay. Nothing else is imported."""
    import gymnasium

    for env_id, system in IDS.items():
        if env_id not in gymnasium.registry:
            gymnasium.register(
                env_id,
                entry_point="calf_viz.environments.system_environment:SystemEnvironment",
                kwargs={"system": system},
            )
