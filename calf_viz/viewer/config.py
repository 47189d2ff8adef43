"""All settings of a visualisation, in one place; the command line options are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields, replace
from pathlib import Path
from typing import Any

from calf_viz import systems
from calf_viz.assignment import Assignable
from calf_viz.errors import UserError, shown
from calf_viz.glsl import variants
from calf_viz.glsl.library import read_define
from calf_viz.hosts.pictured import MOST_SAMPLES
from calf_viz.recording.limits import read_size
from calf_viz.scene.colours import PALETTES, USUAL, colour_map
from calf_viz.scene.mode_bits import ModeBits
from calf_viz.scene.theme import DARK, THEMES
from calf_viz.scene.viewpoint import PRESETS as VIEWPOINTS
from calf_viz.scene.viewpoint import Viewpoint
from calf_viz.settings import check_types, fields_of, known
from calf_viz.settings import one_of as _one_of
from calf_viz.settings import option as _option
from calf_viz.settings import within as _within
from calf_viz.sources.rate import steps_per_second
from calf_viz.sources.simulation import POLICIES
from calf_viz.systems.hidden_states import hidden_values
from calf_viz.value_limits import read_clim
from calf_viz.value_scale import SCALES
from calf_viz.viewer import designs as toggles

MOST_AGENTS = 10_000_000
"""Beyond this the simulation's arrays would exceed the memory of any machine."""
LONGEST_TRAIL = 4000
FASTEST = 64
"""Steps per frame: beyond this, only trails show an agent's path."""
FINEST_GRID = 2048
LARGEST_SIDE = 16384
TRAINING_ONLY = ("train_rate", "resume", "runs", "detach", "morph_frames")
"""Settings that have no effect without `train`."""
RECORDING_ONLY = ("record_every", "record_limit", "record_zstd")
"""Settings that have no effect without `record`."""
LIVE = "the source's steps arrive by themselves: each frame shows all that have arrived"
"""Why the speed of a live source cannot be set."""
RAREST_STATS = 100_000
"""Most frames between updates: half an hour at 60 a second."""

PRESETS: dict[str, dict[str, Any]] = {
    "low": {
        "n_agents": 3, "trail_length": 300,
        "stats_q_value_update_freq": 5, "stats_text_update_freq": 2,
        "stats_profiler_update_freq": 15,
    },
    "medium": {"n_agents": 5, "trail_length": 600},
    "high": {
        "n_agents": 10, "trail_length": 1000,
        "stats_q_value_update_freq": 20, "stats_text_update_freq": 10,
        "stats_profiler_update_freq": 60,
    },
}  # fmt: skip
"""How much is shown. The more that is, the longer figures are cached, as each costs more."""
ASKED_ANEW = ("frames", "chosen", "why", "speed", "theme", "supersample", "value_scale", "clim")
"""Settings that a running application reads when it needs them; the others are fixed."""


@dataclass
class VisualizationConfig(Assignable):
    """What to show and how. Raises UserError, in one line, for invalid values.

        config = VisualizationConfig.from_preset("medium", n_agents=20)
        config.use_batched_trails = False  # and config.renderer is "per_agent"

    Assignments are checked at once, and affect only what is made from the configuration afterwards,
    as users of it take a copy. `update` assigns several at once.
    """

    kind = "a visualisation"

    system: str = _option("point_mass", f"System: {', '.join(systems.names())}, or one of yours.")
    n_agents: int = _option(5, "Agents.")
    trail_length: int = _option(600, "Steps that a trail reaches back.")
    stride: int = _option(
        1, "Minimum steps between drawn samples (the level of detail follows the camera)."
    )
    speed: int = _option(1, f"Steps per frame, 1 to {FASTEST}.")
    checkpoint: Path | None = _option(None, "Agent to show.  [default: the shipped one]")
    policy: str = _option("calf", f"Policy: {', '.join(POLICIES)}.")
    p_relax: float = _option(0.0, "Probability of an uncertified action; 0 is strict.")
    seed: int = _option(0, "Determines where agents start.")
    frames: int | None = _option(None, "Stop after N frames.  [default: 300 headless]")
    size: tuple[int, int] = _option((1280, 720), "Size of the picture in pixels: WxH.")
    supersample: int | None = _option(
        None,
        f"Samples per pixel along each axis of pictures saved, 1 to {MOST_SAMPLES}; 1 saves frames "
        "as they are shown.  [default: 3; 2 above 2560x1440, 1 above 3840x2160]",
    )
    grid: int | None = _option(
        None, "Cells of the surface per side.  [default: by renderer and size]"
    )
    critic_on_gpu: bool = _option(
        False, "Evaluate the critic in shaders: fast on a GPU, slow in software."
    )
    slice: float | tuple[str, ...] = _option(
        0.0,
        "Value of the states not shown, or of one: theta=0.5; may be repeated.  "
        "[default: 0; of an environment, the mean]",
        "[STATE=]VALUE",
    )
    height_scale: float = _option(2.0, "Height of the surface; the plane is 10 wide.")
    value_scale: str | None = _option(
        None, f"Scale of heights and colours: {', '.join(SCALES)}.  [default: by system]"
    )
    clim: str | tuple[float, float] | None = _option(
        None,
        "Lowest and highest value of that scale: auto (all of the surface's), robust (without the "
        "highest 2 %), agents (those where agents are), or two numbers: 0,500.  "
        "[default: by system]",
    )
    theme: str = _option(
        DARK.name, f"Colours of ground, texts, surface and trails: {', '.join(THEMES)}."
    )
    colour_map: str | None = _option(
        None,
        "Colours of the surface: a colour map of the cmap package, such as viridis.  "
        "[default: the theme's]",
    )
    palette: str = _option(
        USUAL,
        f"Colours of the modes: {', '.join(PALETTES)}; all but {USUAL} replace a source's own.",
    )
    camera: str = _option(
        "home",
        "Where the camera starts: NAME or azimuth,elevation,distance,x,y (angles in degrees), or "
        f"a name and parts of that: top,distance=8. Names: {', '.join(VIEWPOINTS)}.",
    )
    shaders: Path | None = _option(
        None, "A look: a folder or file that replaces files in shaders/, or a shipped one."
    )
    ab: Path | None = _option(
        None, "A second look to compare: tab shows either, or their difference."
    )
    define: tuple[str, ...] = _option(
        (), "A macro for the shaders, may be repeated: calf-viz shaders list.", "NAME[=VALUE]"
    )
    set: tuple[str, ...] = _option(
        (), "A control's value, may be repeated; with b: of `ab`'s look.", "[b:]NAME=VALUE"
    )
    watch: bool | None = _option(
        None, "Rebuild the shaders as their files are saved.  [default: in a window]"
    )
    chosen: int | None = _option(
        None,
        "Agent with a double ring and a wider trail, whose q+ the shaders receive (the last one, "
        "if fewer).  [default: 0, without rings unless the look shows its certificate]",
    )
    why: bool = _option(False, "Say in the chosen agent's panel why it took its last step.")
    hud: bool = _option(True, "Show step, agents by mode, colour bar and axes over the scene.")
    hud_scale: float = _option(1.0, "Factor on the HUD's size, as for a display with fine pixels.")
    renderer: str | None = _option(
        None,
        f"Design that draws, {', '.join(toggles.RENDERERS)}: sets the toggles below.  "
        "[default: gpu]",
    )
    use_vectorized_heights: bool = _option(True, "Heights of all agents at once, not in a loop.")
    use_stats_cache: bool = _option(True, "Compute figures when they are due, not each frame.")
    use_batched_trails: bool = _option(True, "All trails together, not a mesh for each agent.")
    use_gpu_geometry: bool = _option(True, "Heights and vertices on the GPU, not on the CPU.")
    train: bool = _option(
        False,
        "Train an agent, and show its critic and policy as they learn; accepts every setting of "
        "`calf-viz train`.",
    )
    train_rate: str = _option(
        "max", "With `train`: steps per second, max, realtime, or a number such as 200/s."
    )
    resume: Path | None = _option(None, "With `train`: run to resume.  [default: a new one]")
    runs: Path = _option(Path("runs"), "With `train`: folder for new runs.")
    detach: bool = _option(False, "With `train`: let the training go on without the viewer.")
    morph_frames: int = _option(15, "With `train`: frames of the morph to a new critic.")
    record: str | Path | None = _option(
        None, "Record what is shown into a new folder *.calf, or s3://…: docs/recordings.md."
    )
    record_every: int = _option(1, "With `record`: steps between rows.")
    record_limit: str | None = _option(
        None, "With `record`: size at which it ends, such as 500MB or 20GB.  [default: none]"
    )
    record_zstd: bool = _option(False, "With `record`: compress it, to about half.")
    headless: bool = _option(False, "Draw without a window, even if there is a display.")
    no_vsync: bool = _option(False, "Do not wait for the display before the next frame.")
    stats_q_value_update_freq: int = _option(
        10, "Frames between updates of the mean value shown; more caches more."
    )
    stats_text_update_freq: int = _option(
        5, "Frames between updates of the texts shown; more caches more."
    )
    stats_profiler_update_freq: int = _option(
        30, "Frames between updates of the frame rate shown; more caches more."
    )

    def check(self) -> None:
        """Raises UserError for invalid values."""
        values, renderer = vars(self), self.renderer
        check_types(self)
        values.update(toggles.settled({**values, "renderer": renderer}))
        values["system"] = systems.get(self.system).name
        for name in ("palette", "theme"):
            values[name] = getattr(self, name).replace("-", "_")
        _one_of("policy", self.policy, POLICIES)
        _one_of("palette", self.palette, tuple(PALETTES))
        _one_of("theme", self.theme, THEMES)
        _within("n_agents", self.n_agents, 1, MOST_AGENTS)
        _within("trail_length", self.trail_length, 2, LONGEST_TRAIL)
        _within("stride", self.stride, 1, min(self.trail_length, ModeBits().longest_stride))
        _within("speed", self.speed, 1, FASTEST)
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("p_relax", self.p_relax, 0.0, 1.0)
        _within("hud_scale", self.hud_scale, 0.25, 4.0)
        _within("height_scale", self.height_scale, 0.0, 100.0)
        if self.value_scale is not None:
            _one_of("value_scale", self.value_scale, SCALES)
        if self.clim is not None:
            values["clim"] = read_clim(self.clim)
        Viewpoint.read(self.camera)
        hidden_values(systems.get(self.system), self.slice)
        if not isinstance(self.slice, float) and len(self.slice) == 1 and "=" not in self.slice[0]:
            values["slice"] = float(self.slice[0])
        for name in ("q_value", "text", "profiler"):
            name = f"stats_{name}_update_freq"
            _within(name, getattr(self, name), 1, RAREST_STATS)
        if self.grid is not None:
            _within("grid", self.grid, 1, FINEST_GRID)
        if self.supersample is not None:
            _within("supersample", self.supersample, 1, MOST_SAMPLES)
        if self.frames is not None:
            _within("frames", self.frames, 1, 2**31 - 1)
        if self.chosen is not None:
            _within("chosen", self.chosen, 0, MOST_AGENTS - 1)
        variants.check(self.defines)
        if self.colour_map is not None:
            colour_map(self.colour_map)
        for text in self.set:
            if "=" not in text:
                raise UserError(f"`set` {shown(text)}: write NAME=VALUE")
        _within("record_every", self.record_every, 1, 1_000_000)
        read_size(self.record_limit)
        if self.record is not None and self.critic_on_gpu:
            raise UserError(
                "record keeps the critic's heights, which `critic_on_gpu` has not: leave that out"
            )
        if self.train and self.checkpoint is not None:
            raise UserError("train shows what it trains: leave checkpoint out, or resume a run")
        _within("morph_frames", self.morph_frames, 1, 10_000)
        steps_per_second(self.train_rate, systems.get(self.system).dt)
        for name, side in zip(("width", "height"), self.size, strict=True):
            _within(f"size: {name}", side, 16, LARGEST_SIDE)

    def implied(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Changes plus the toggles that a renderer sets, or the renderer that toggles select."""
        return {"renderer": None, **toggles.expand(changes)}

    @property
    def toggles(self) -> dict[str, bool]:
        """The settings that select the design that draws."""
        return {name: getattr(self, name) for name in toggles.TOGGLES}

    @classmethod
    def from_preset(cls, preset: str, **changes: Any) -> VisualizationConfig:
        """The preset low, medium or high, with single values changed."""
        _one_of("preset", preset, tuple(PRESETS))
        known(changes, fields_of(cls), f" of {cls.kind}")
        return cls(**{**PRESETS[preset], **toggles.expand(changes)})

    @property
    def defines(self) -> dict[str, str]:
        """The macros, by name."""
        return dict(map(read_define, self.define))

    def changed(self, /, **changes: Any) -> VisualizationConfig:
        """A copy with single values changed."""
        known(changes, fields_of(self), f" of {self.kind}")
        return replace(self, **self.implied(changes))

    def in_force(self, live: bool = False) -> VisualizationConfig:
        """A copy for an application, which refuses assignments that would come too late; those to
        the original do not affect it.

        live: whether its source is live, so that its speed cannot be set.
        """
        late = "this application is made; close it, and make one of config.changed({name}=...)"
        reasons = {f.name: late.format(name=f.name) for f in options() if f.name not in ASKED_ANEW}
        if live:
            reasons["speed"] = LIVE
        own = {name: f"set the application's own, app.{name}" for name in ("n_agents", "camera")}
        return self.kept(reasons | own)


def options() -> tuple[Field[Any], ...]:
    """The fields that the command line offers, each with its help in `metadata`."""
    return fields(VisualizationConfig)
