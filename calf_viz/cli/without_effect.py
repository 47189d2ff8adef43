"""Refuses options that would have no effect beside the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from calf_viz import systems
from calf_viz.cli.option_types import option_name
from calf_viz.errors import UserError
from calf_viz.settings import fields_of
from calf_viz.systems.hidden_states import hidden_states
from calf_viz.training.config import TrainingConfig
from calf_viz.viewer.app_config import SHARED, TRAINING_PRESET
from calf_viz.viewer.config import RECORDING_ONLY, TRAINING_ONLY, VisualizationConfig

OF_A_TRAINING = {*TRAINING_ONLY, TRAINING_PRESET, *fields_of(TrainingConfig)} - SHARED - {"preset"}
"""Settings that only a training uses."""
OF_TEXTS = (
    "stats_q_value_update_freq", "stats_text_update_freq", "stats_profiler_update_freq",
)  # fmt: skip


def refuse_without_effect(
    given: Collection[str], config: VisualizationConfig, screenshot: bool, profile: bool
) -> None:
    """Raise UserError for the first option without an effect.

    given: names of the options on the command line; a file's settings may go unused.
    screenshot: whether fixed frames are drawn; profile: whether frames are measured instead.
    """
    for names, why, instead in _idle(config, screenshot, profile):
        for option in (option_name(name) for name in given if name in names):
            raise UserError(f"{option} has no effect {why}: {instead}leave {option} out")


def _idle(
    config: VisualizationConfig, screenshot: bool, profile: bool
) -> Iterator[tuple[Collection[str], str, str]]:
    """Settings without an effect, why, and what to do other than to leave them out."""
    system = systems.get(config.system)
    if not config.train:
        yield OF_A_TRAINING, "without --train", "add --train, or "
    if config.record is None:
        yield RECORDING_ONLY, "without --record", "add --record, or "
    if screenshot:
        yield ("frames",), "with --screenshot, which draws frames of its own", ""
    if config.policy != "calf":
        yield ("p_relax",), f"with --policy {config.policy}", ""
    if not hidden_states(system):
        yield ("slice",), f"with {system.name}, whose plane shows all of its states", ""
    if profile or not config.headless:
        yield ("supersample",), "where no picture is saved", "add --output FILE.png, or "
    if not config.hud:
        yield (*OF_TEXTS, "hud_scale", "why"), "with --no-hud", ""
    elif not config.use_stats_cache:
        yield OF_TEXTS, "with --no-use-stats-cache", ""
    if config.headless:
        yield ("no_vsync",), "without a window", ""
        if config.chosen is None:
            yield ("why",), "on no agent", "choose one with --chosen, or "
