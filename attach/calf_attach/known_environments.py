"""Names that Gymnasium's own environments do not carry: of what they observe, and of their choices.

Others say theirs in their metadata: `observation_names`, `action_names` and `plane`.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple


class Names(NamedTuple):
    """What an environment's numbers are called."""

    observations: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    axes: str = "0,1"


_CAR = ("position", "velocity")
KNOWN: Mapping[str, Names] = {
    "Pendulum-v1": Names(("cos θ", "sin θ", "θ' [rad/s]"), (), "angle(0,1),2"),
    "CartPole-v1": Names(("x [m]", "x' [m/s]", "θ [rad]", "θ' [rad/s]"), ("left", "right"), "0,2"),
    "Acrobot-v1": Names(
        ("cos θ1", "sin θ1", "cos θ2", "sin θ2", "θ1' [rad/s]", "θ2' [rad/s]"),
        ("torque −1", "torque 0", "torque 1"), "angle(0,1),angle(2,3)",
    ),
    "MountainCar-v0": Names(_CAR, ("left", "neither", "right")),
    "MountainCarContinuous-v0": Names(_CAR),
    "LunarLander-v3": Names(
        ("x", "y", "x'", "y'", "angle [rad]", "angular velocity", "left leg", "right leg"),
        ("nothing", "left engine", "main engine", "right engine"),
    ),
}  # fmt: skip


def names_of(env_id: str, metadata: Mapping[str, object]) -> Names:
    """The names of an environment's numbers, as far as they are known."""
    known = KNOWN.get(env_id, Names())
    observed = metadata.get("observation_names", known.observations)
    chosen = metadata.get("action_names", known.actions)
    axes = metadata.get("plane", known.axes)

    def texts(value: object) -> tuple[str, ...]:
        sound = isinstance(value, (tuple, list)) and all(isinstance(name, str) for name in value)
        return tuple(value) if sound else ()  # type: ignore[arg-type]

    return Names(texts(observed), texts(chosen), axes if isinstance(axes, str) else known.axes)
