"""Training presets: how long, and how large a batch."""

from dataclasses import dataclass

from calf_viz.errors import UserError, shown


@dataclass(frozen=True)
class Preset:
    """The size of a training."""

    name: str
    episodes: int
    steps: int
    """Steps after which an episode is cut off."""
    batch: int = 64
    select_every: int = 10
    """Episodes between two evaluations of the strict agent, the best of which is kept."""


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("quick", 100, 500),
        Preset("standard", 500, 750),
        Preset("thorough", 1000, 1000, batch=128),
    )
}


def get(name: str) -> Preset:
    """The preset called `name`.

    Raises:
        UserError: there is no such preset; the message lists those there are.
    """
    if name not in PRESETS:
        raise UserError(f"unknown preset '{shown(name)}': choose one of {', '.join(PRESETS)}")
    return PRESETS[name]
