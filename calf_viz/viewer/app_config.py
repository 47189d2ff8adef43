"""Configures what is shown and what is trained together: a preset, a TOML file, single changes.

preset ──▶ TOML file ──▶ options        the later wins

preset = "medium"        # pairs a training with what is shown
system = "point_mass"    # this and the seed apply to both

[visualization]          # the fields of VisualizationConfig
n_agents = 20

[training]               # the fields of TrainingConfig
preset = "quick"
batch = 128
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from calf_viz.assignment import unassignable
from calf_viz.errors import FileDamaged, FileTrouble, UserError, shown
from calf_viz.settings import Known, convert, fields_of, known, one_of, read_toml, table
from calf_viz.training.config import TrainingConfig
from calf_viz.training.run_config import continued, read_config
from calf_viz.viewer import designs as toggles
from calf_viz.viewer.config import PRESETS, VisualizationConfig

PAIRED = {"low": "quick", "medium": "standard", "high": "thorough"}
"""The training preset paired with each visualisation preset."""

KINDS: dict[str, Any] = {"visualization": VisualizationConfig, "training": TrainingConfig}
SHARED = fields_of(VisualizationConfig).keys() & fields_of(TrainingConfig).keys()
"""Fields that both have: the system and the seed."""
TRAINING_PRESET = "training_preset"
"""Name of the training's own preset among single changes."""
NAMES = sorted(
    {name for kind in KINDS.values() for name in fields_of(kind)} - {"preset"} | {TRAINING_PRESET}
)
"""Names of all possible single changes."""


_INSTEAD = "what is shown and what is trained go together; take a copy, changed({name}=...)"


@unassignable("take a copy, dataclasses.replace(config, {name}=...)")
@dataclass(frozen=True)
class AppConfig(Known):
    """A visualisation and a training of the same system, with the same seed.

    Only fields of the visualisation alone can be assigned, such as `visualization.n_agents`;
    otherwise `changed` gives a copy. The given visualisation is copied.
    """

    kind = "an AppConfig"

    visualization: VisualizationConfig
    training: TrainingConfig
    preset: str = "medium"

    def __post_init__(self) -> None:
        for name, kind in KINDS.items():
            if not isinstance(getattr(self, name), kind):
                given = shown(getattr(self, name))
                raise UserError(f"{name} = {given} has the wrong type: give a {kind.__name__}")
        # A resumed run determines what is trained.
        reasons = {name: _INSTEAD.format(name=name) for name in (*SHARED, "resume")}
        object.__setattr__(self, "visualization", self.visualization.kept(reasons))
        one_of("preset", self.preset, PRESETS)
        for name in SHARED:
            seen, trained = getattr(self.visualization, name), getattr(self.training, name)
            if seen != trained:
                raise UserError(f"{name} is {seen!r} to be shown, {trained!r} to be trained")

    @classmethod
    def from_preset(cls, preset: str = "medium", **changes: Any) -> AppConfig:
        """The preset low, medium or high, with single fields of either changed, by name.

        `training_preset` is the training's own: quick, standard or thorough. If `resume` names a
        run, the training is that run's, and only some settings may differ (see `run_config`).

        Raises:
            UserError: an unknown name, suggesting the closest one, or an invalid value.
        """
        known(changes, NAMES)
        return cls._made(preset, _split(changes))

    def changed(self, /, **changes: Any) -> AppConfig:
        """A copy with single fields of either changed, by name, as in `from_preset`; `preset`
        keeps its name.

        Raises:
            UserError: as there.
        """
        known(changes, NAMES)
        given = _split(changes)
        visible, own = given["visualization"], given["training"]
        if visible.get("resume") is None:
            training = self.training.changed(**own)
        else:
            training, visible = _resumed(visible, own)
        return AppConfig(self.visualization.changed(**visible), training, self.preset)

    @classmethod
    def load(cls, path: str | Path, preset: str | None = None, **changes: Any) -> AppConfig:
        """The configuration in a TOML file, with preset and single fields changed as in
        `from_preset`.

        Raises:
            UserError: as there; or the file cannot be read, or holds something else.
        """
        contents = read_toml(path)
        where = f" in {shown(path)}"
        tables = {name: value for name, value in contents.items() if isinstance(value, dict)}
        top = {name: value for name, value in contents.items() if name not in tables}
        known(tables, KINDS, where)
        for name in KINDS.keys() & top.keys():
            said = shown(top[name])
            raise UserError(
                f"{name} = {said}{where} is not a table: write [{name}] above its settings"
            )
        known(top, ["preset", *NAMES], where)
        said = top.pop("preset", "medium")
        if not isinstance(said, str):
            raise UserError(
                f"preset = {shown(said)}{where} has the wrong type: give a string in quotes"
            )
        given = _split(top)
        for name, values in tables.items():
            given[name] |= values
        known(changes, NAMES)
        own = {name: convert(values, KINDS[name], where) for name, values in given.items()}
        try:
            return cls._merged(preset or said, own, _split(changes))
        except (FileTrouble, FileDamaged):
            raise
        except UserError as error:
            if str(error) == cls._refused(said, own):  # due to the file, not to the changes
                raise UserError(f"{shown(path)}: {error}") from error
            raise

    @classmethod
    def _refused(cls, preset: str, own: Mapping[str, dict[str, Any]]) -> str | None:
        """What is wrong with a file's settings without changes; None if nothing."""
        try:
            cls._merged(preset, own, _split({}))
        except UserError as error:
            return str(error)
        return None

    @classmethod
    def _merged(
        cls, preset: str, own: Mapping[str, dict[str, Any]], flags: Mapping[str, dict[str, Any]]
    ) -> AppConfig:
        """A file's settings, changed by options."""
        one = dict(toggles.changed(own["visualization"], flags["visualization"]))
        other = own["training"] | flags["training"]
        for name in SHARED:  # if given for only one of the two, it applies to both
            if name in one or name in other:
                one.setdefault(name, other.get(name))
                other.setdefault(name, one[name])
        return cls._made(preset, {"visualization": one, "training": other})

    @classmethod
    def _made(cls, preset: str, given: Mapping[str, dict[str, Any]]) -> AppConfig:
        one_of("preset", preset, PRESETS)
        visible, own = dict(given["visualization"]), dict(given["training"])
        if visible.get("resume") is None:
            training = TrainingConfig.from_preset(own.pop("preset", PAIRED[preset]), **own)
        else:
            training, visible = _resumed(visible, own)
        return cls(VisualizationConfig.from_preset(preset, **visible), training, preset)

    def __reduce__(self) -> tuple[Any, ...]:
        return AppConfig, (self.visualization, self.training, self.preset)

    def text(self) -> str:
        """The TOML text that `load` reads as the same configuration."""
        document = tomlkit.document()
        document.add(tomlkit.comment(f"Pairs a training with what is shown: {', '.join(PRESETS)}."))
        document.add("preset", self.preset)
        for name in sorted(SHARED, reverse=True):
            document.add(tomlkit.comment(fields_of(TrainingConfig)[name].metadata["help"]))
            document.add(name, getattr(self.training, name))
        document.add(tomlkit.nl())
        # If the toggles differ from those of the renderer's name, the name is left out.
        visible = self.visualization
        unsaid = () if toggles.is_whole(visible.toggles) else ("renderer",)
        document.add("visualization", table(visible, leave_out=SHARED, unsaid=unsaid))
        document.add("training", table(self.training, leave_out=SHARED))
        text = tomlkit.dumps(document)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            name = shown(text[error.start - 20 : error.end + 20])
            raise UserError(f"TOML is UTF-8, and a path is not ({name}): rename it") from error
        return text


def _resumed(
    visible: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[TrainingConfig, dict[str, Any]]:
    """The training of the resumed run, which determines its own settings; and what is shown."""
    run = visible["resume"]
    training = continued(read_config(run), changes, run)
    return training, {**visible, **{name: getattr(training, name) for name in SHARED}}


def _split(changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Changes grouped by the configuration that has the field; shared ones go to both."""
    given = {
        name: {key: value for key, value in changes.items() if key in fields_of(kind)}
        for name, kind in KINDS.items()
    }
    if TRAINING_PRESET in changes:
        given["training"]["preset"] = changes[TRAINING_PRESET]
    return given
