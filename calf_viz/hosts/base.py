"""Base class of all hosts: packing of samples, the surface's texels, the shaders' inputs."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.critic_networks import CriticNetworks
from calf_viz.errors import UserError
from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.heightfield import Grid, Heightfield, plane_nodes
from calf_viz.hosts import raster_threads
from calf_viz.hosts.compared import Comparison
from calf_viz.hosts.context import unowned
from calf_viz.hosts.critic_passes import CriticDraws, CriticPasses, Evaluated
from calf_viz.hosts.memory import drawn_by_cpu
from calf_viz.hosts.pictured import Pictured
from calf_viz.hosts.reloading import Reloading
from calf_viz.hosts.ring import Ring
from calf_viz.hosts.setup import Setup
from calf_viz.hosts.shown_scale import ShownScale
from calf_viz.hud.hud import Hud
from calf_viz.profiling.profiler import OFF, PerformanceProfiler
from calf_viz.samples import Samples
from calf_viz.scene.colours import mark_contours
from calf_viz.scene.detail import Detail, DetailChooser
from calf_viz.scene.frame import Frame
from calf_viz.scene.height_texels import height_texels, level_field, shown_heights
from calf_viz.scene.ring import MOST_TEXELS, RingLayout, RingPacker
from calf_viz.value_limits import Scaling
from calf_viz.value_scale import Scale, ValueScale

log = logging.getLogger("calf_viz")


class Host(Pictured, Reloading):
    """Draws a `Scene`. A subclass only provides textures, uniforms and draws.

    A subclass's constructor follows this order; `hosts/stub.py` is a template:

        super().__init__(setup)    keeps the setup, and calls no methods of the subclass
        the subclass's resources   a context, then `renderer`, `gl_version`, `texture_limit` and
                                   `programs`; `channels` and `design` if they differ
        self._ready()              last: makes ring, detail and surface, by the methods below

    Attributes:
        design: how the vertices are made, as named by `--renderer` and in profiles.
        profiler: measures sections within `push` and `draw`.
        renderer: name of the OpenGL renderer.
        gl_version: its version, as reported by the driver.
        texture_limit: largest width and height of a texture.
        agents: number of agents drawn; the ring grows automatically when more are pushed.
        drawn: whether a frame has been drawn.
        morph: 0 shows the last critic's surface, 1 the current one's.
        scrub: number of steps before the newest that the picture shows, within the ring.
        hud: the HUD, if there is one; see `set_hud`.
        controls: values of the uniforms that the user can change.
        programs: the shaders in force, and those before them.
        compare: arranges a second look beside this one; None without one.
    """

    KIND = "host"
    design = "gpu"
    profiler: PerformanceProfiler = OFF
    renderer: str
    gl_version: str
    texture_limit: int
    compare: Comparison | None = None
    channels: tuple[int, int, int, int] = (0, 1, 2, 3)
    """Positions of (x, y, third, stamp) in a texel's memory."""

    heightfield: Heightfield
    """The surface drawn; only some nodes of it if the GPU evaluates it."""
    levels: Heightfield
    """Its levels, 0 lowest and 1 highest, which are the heights and colours drawn."""
    scaling: Scaling
    """How scales of surfaces are made; those set from now on, or by `rescale`."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.scene, self.agents = setup.scene, setup.agents
        self._counts = Counter()
        self.drawn = False
        self.morph = 1.0
        self.scrub = 0
        self.hud: Hud | None = None
        self.controls = ControlValues()
        self._controls_shown = 0
        self._palette = setup.scene.palette(setup.colour_map)
        self._marks = np.zeros(PALETTE_COLOURS, np.uint8)
        self._stride = setup.scene.stride  # as configured
        self._warned = False
        self._texels: NDArray[np.float32] | None = None
        self.scaling = Scaling()
        self._scales = ShownScale()
        self._critic: CriticPasses | None = None
        self._grid: Grid | None = None
        self._newest: Samples | None = None

    def _ready(self) -> None:
        """Make ring, detail and surface; called at the end of a subclass's constructor."""
        setup, scene = self.setup, self.scene
        if self.software:
            self.closing.enter_context(raster_threads.apart())
        self.controls.adopt(self.programs.controls)
        slots = setup.steps_kept
        self.layout = RingLayout.fit(setup.agents, slots, self.texture_limit, scene.trail + 1)
        self.packer = RingPacker(self.layout, scene.trail, self.channels, scene.frame, scene.modes)
        self.detail = self._make_detail()
        self.ring = self._make_ring(self.layout)
        if setup.heightfield is not None:
            self.set_heightfield(setup.heightfield)

    @property
    @unowned
    def software(self) -> bool:
        """Whether a software rasteriser draws, for which triangles are expensive."""
        return drawn_by_cpu(self.renderer)

    def set_heightfield(
        self, heightfield: Heightfield, morph: float = 1.0, restart: bool = False
    ) -> None:
        """Set a new critic's surface; what is shown now is kept for `morph` to start from.

        restart: show it at once, without a morph from the previous one.

        Raises UserError for more nodes than fit the driver's textures.
        """
        rows, columns = heightfield.shape
        if max(rows, columns) > self.texture_limit or rows * columns > MOST_TEXELS:
            raise UserError(
                f"a surface of {columns} x {rows} nodes does not fit a texture of "
                f"{self.texture_limit} x {self.texture_limit}, {MOST_TEXELS // 2**20} Mi texels: "
                "give fewer"
            )
        shown = None if restart else self._texels
        last = None if shown is None else shown_heights(shown, self.morph)
        self._set_surface(heightfield, self.scaling.of(heightfield), first=last is None)
        self._grid = None
        self._texels = height_texels(self.levels, last)
        self.morph = morph
        self._upload_heights(self._texels)

    def _set_surface(self, heightfield: Heightfield, scale: ValueScale, first: bool) -> None:
        """Set a new surface, with a scale of its own."""
        self._scales.begin(scale, self.morph, first)
        self.heightfield, self.levels = heightfield, level_field(heightfield, scale)
        self.detail.surface = self.scene_levels
        self._upload_values(self._scales.texels())

    def rescale(self, morph: float = 1.0) -> bool:
        """Draw the surface with the scale that `scaling` gives now, as `set_heightfield`; returns
        whether it did: not while the GPU evaluates the next one, which will have that scale."""
        if self._grid is None:
            self.set_heightfield(self.heightfield, morph)
        elif self._critic is None or self.evaluating:
            return False
        else:
            self._show_critic(self._critic.scaled(self.scaling, self.morph), morph)
        return True

    @property
    @unowned
    def scene_levels(self) -> Heightfield:
        """The levels drawn, in units of the scene."""
        return self.scene.frame.surface(self.levels)

    def reframe(self, frame: Frame) -> None:
        """Make the scene show another part of the plane, whose bounds changed, from the next frame
        on; samples and surface keep their place on the plane. If the ends of a periodic axis
        changed, trails start over from where the agents are."""
        scene = self.scene
        if frame == scene.frame:
            return
        move = frame.moved_from(scene.frame)
        anew = not frame.wraps_as(scene.frame)
        self.ring.move(move)  # first: there may be no room for another texture
        scene.frame = frame
        self.packer.reframe(frame)
        self.detail.move(move)
        if self.detail.surface is not None:
            self.detail.surface = self.scene_levels
        if self._texels is not None:  # older designs put meshes on the surface
            self._upload_heights(self._texels)
        if anew:  # trails that crossed an edge there do not cross it here
            newest = self._newest
            self.restart()
            if newest is not None:
                self.push(replace(newest, first=np.ones(len(newest), dtype=bool)))

    def frame_surface(self, keep: bool = False) -> None:
        """Point the camera at the surface from the default side, far enough away for all of it to
        be in the picture.

        keep: if the user has moved it, set this view only for `reset`.
        """
        field, height = self.scene_levels, self.scene.height_scale
        nodes = plane_nodes(field.lo, field.hi, *field.shape)
        points = np.column_stack([nodes, height * field.values.ravel()])
        camera = self.scene.camera
        pose = camera.pose if keep and not camera.at_home else None
        camera.frame((*field.lo, *field.hi, height), points)
        if pose is not None:
            camera.pose = pose

    @property
    @unowned
    def scale(self) -> ValueScale:
        """The surface's scale: its values at each height."""
        return self._scales.current

    @property
    @unowned
    def value_range(self) -> tuple[float, float]:
        """The surface's values at the lowest and highest heights."""
        return self._scales.current.ends

    @property
    @unowned
    def shown_scale(self) -> Scale:
        """The scale in the current state of the morph."""
        return self._scales.at(self.morph)

    @property
    @unowned
    def grid(self) -> Heightfield | Grid:
        """The nodes drawn."""
        return self._grid or self.heightfield

    def evaluate_critic(self, networks: CriticNetworks, grid: Grid) -> None:
        """Start evaluating a critic on a grid on the GPU, some rows in each `continue_critic`.

        Raises UserError if the shaders do not compile or the driver does not support it.
        """
        if self._critic is None or self._critic.grid != grid:
            if self._critic is not None:
                self._critic.draws.close()
            self._critic = CriticPasses(self._open_critic(), grid)
        self._critic.begin(networks)

    @property
    @unowned
    def evaluating(self) -> bool:
        """Whether the GPU is evaluating a critic."""
        return self._critic is not None and self._critic.bands is not None

    def continue_critic(self, restart: bool = False) -> bool:
        """Do a frame's share of an evaluation; returns whether it is complete, and its surface
        shown from now on.

        Then `morph` is 0, unless there was nothing to morph from, or with `restart`.
        """
        if self._critic is None:
            return False
        first = restart or self._grid != self._critic.grid
        done = self._critic.step(self.scaling, -1.0 if first else self.morph)
        if done is None:
            return False
        self._show_critic(done, 1.0 if first else 0.0, first)
        return True

    def _show_critic(self, done: Evaluated, morph: float, first: bool = False) -> None:
        assert self._critic is not None
        self._set_surface(done.sampled, done.scale, first)
        self._grid, self._texels = self._critic.grid, None
        self.morph = morph
        self._use_heights(done.heights)

    def set_hud(self, hud: Hud) -> None:
        """Show a HUD from the next frame on. A HUD belongs to one host.

        Raises UserError if the HUD's shaders do not compile, naming file and line.
        """
        self._open_hud()
        self.hud = hud

    def set_second(self, library: ShaderLibrary, colour_map: NDArray[np.uint8]) -> Reloading:
        """Show another look beside this one from the next frame on, as set by `compare.view`.
        library: its shaders, with the scene's defines (`setup.for_scene`).

        Raises ShaderError if its shaders do not compile, and UserError if the host can only show
        one look.
        """
        raise UserError(f"`ab`: the {self.design} host shows one look at a time: leave it out")

    @property
    def background(self) -> tuple[float, float, float]:
        """The picture's background, each component within [0, 1]."""
        return self.scene.background

    @background.setter
    def background(self, colour: tuple[float, float, float]) -> None:
        self.scene.background = colour

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """Set the surface's colours, RGBA from low to high, as many as before."""
        self._palette = self.scene.palette(colour_map)
        mark_contours(self._palette, self._marks)
        self._upload_palette(self._palette)

    def _move_contours(self) -> None:
        """Bring the contours to where the shown scale has them, if they moved."""
        marks = self._scales.new_marks(self.morph)
        if marks is not None and not np.array_equal(marks, self._marks):
            self._marks = marks
            mark_contours(self._palette, marks)
            self._upload_palette(self._palette)
            self.count("upload_bytes", self._palette.nbytes)

    def prepare_hud(self) -> Hud | None:
        """The HUD, updated for the frame to be drawn now; None if none is visible."""
        if self.hud is None or not self.hud.visible:
            return None
        with self.profiler.section("ui"):
            if self.controls.changes != self._controls_shown:
                self._controls_shown = self.controls.changes
                self.hud.redraw()
            self.hud.prepare(self.scene, self.levels, self.scale, self.shown_scale)
        return self.hud

    def push(self, *samples: Samples) -> None:
        """Add the samples of one step, or of several consecutive ones.

        Raises ValueError for an invalid mode, and UserError for more agents than there is room for;
        nothing is changed then.
        """
        for one in samples:
            self.packer.check(one)
        self.make_room(max(len(one) for one in samples))
        self.agents = len(samples[-1])
        packed = self.packer.pack(*samples)
        if self.packer.invalid_seen and not self._warned:
            self._warned = True
            log.warning("positions that are not finite are not drawn (warned once)")
        for row in packed.rows:
            self.detail.see(row.places, row.begins)
        self.ring.append(packed)
        if any(self.scene.frame.periodic):  # the source may reuse its array
            self._newest = replace(samples[-1], positions=samples[-1].positions.copy())

    def restart(self) -> None:
        """Drop all samples; the next one pushed is the first. The camera stays."""
        # Old texels in the ring have stamps later than the new head: they are not drawn.
        scene = self.scene
        self.packer = RingPacker(self.layout, scene.trail, self.channels, scene.frame, scene.modes)
        surface = self.detail.surface
        scene.stride = self._stride
        self.detail = self._make_detail()
        self.detail.surface = surface
        self.scrub, self._newest = 0, None

    def make_room(self, agents: int) -> None:
        """Make the ring hold at least that many agents, keeping its samples.

        Raises UserError if they do not fit the driver's textures; nothing is changed then.
        """
        if agents <= self.layout.agents:
            return
        slots, limit, old = self.layout.slots, self.texture_limit, self.layout
        layout = RingLayout.fit(agents, slots, limit)
        # Half as many again, if they fit, so that agents added singly rarely need a new texture.
        with suppress(UserError):
            layout = RingLayout.fit(max(agents, old.agents * 3 // 2), slots, limit)
        packer = self.packer.grown(layout)
        self.ring.grow(old, layout)
        self.layout, self.packer = layout, packer

    def uniforms(self) -> dict[str, Any]:
        """All uniforms of the contract and the controls, for the frame to be drawn now."""
        self.scene.stride, self.scene.ink = self.detail.stride(), self.packer.ink
        values = self.scene.uniforms(
            self.grid,
            self.layout,
            self.agents,
            self.packer.step - self.scrub,
            self.packer.runs(self.scrub),
            self.shown_scale.ends,
            self.morph,
        )
        self._move_contours()
        return values | self.controls.values

    def instances(self, uniforms: dict[str, Any]) -> int:
        """Number of instances of the draw."""
        return int(uniforms["u_surface_instances"]) + self.agents

    @unowned
    def count(self, name: str, amount: int = 1) -> None:
        """Add to a count of `frame_counts`."""
        self._counts[name] += amount

    def frame_counts(self) -> Counter[str]:
        """OpenGL work since the last call; to be called after each frame.

        draw_calls: draws of the scene. ring_draws: those that fill the ring. hud_draws: those of
        the HUD. upload_bytes: into textures and buffers. mesh_updates: meshes rebuilt. vertices: of
        all draws. entities: number of objects drawn. Missing counts are 0.
        """
        counts, self._counts = self._counts, Counter()
        return counts

    def time_next_frame(self, token: int) -> None:
        """Measure the GPU's time for the next frame, for `gpu_times`, if the host supports it."""

    def gpu_times(self) -> list[tuple[int, float]]:
        """(token, seconds) of timed frames, each once, some frames later."""
        return []

    def _make_detail(self) -> Detail:
        return DetailChooser(self.scene)

    @abstractmethod
    def _make_ring(self, layout: RingLayout) -> Ring:
        """Make the ring, all zero."""

    @abstractmethod
    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        """Upload the surface's texels, (rows, columns, 2)."""

    @abstractmethod
    def _open_critic(self) -> CriticDraws:
        """Make what evaluates a critic."""

    @abstractmethod
    def _use_heights(self, name: str) -> None:
        """Draw the surface from a texture of the critic's passes."""

    @abstractmethod
    def _upload_values(self, texels: NDArray[np.float32]) -> None:
        """Upload `u_values`, (1, entries, 2), in place of the current one."""

    @abstractmethod
    def _upload_palette(self, texels: NDArray[np.uint8]) -> None:
        """Upload the colours, (4, entries, 4), in place of the current ones."""

    @abstractmethod
    def _open_hud(self) -> None:
        """Make what draws a HUD."""

    def bind_keys(self, actions: Mapping[str, Callable[[], None]]) -> set[str]:
        """Bind keys to actions, by the names of `hud.keys`, with the host's own added.

        Returns the actions that have a key now: none if there is no keyboard.
        """
        return set()

    has_window = False
    unseen = False
    """Whether frames are not drawn because the window is minimised."""

    @property
    @unowned
    def closed(self) -> bool:
        """Whether it was closed, or its window by the user."""
        return self.owner.ended
