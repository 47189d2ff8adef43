"""Base class of all hosts: packing of samples, the surface's texels, the shaders' inputs."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.glsl.controls import ControlValues
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.hosts import raster_threads
from calf_viz.hosts.compared import Comparison
from calf_viz.hosts.context import unowned
from calf_viz.hosts.drawn_surface import DrawnSurface
from calf_viz.hosts.legend_colours import LegendColours
from calf_viz.hosts.looking_back import LookingBack, Then
from calf_viz.hosts.memory import drawn_by_cpu
from calf_viz.hosts.picking import HOVER_EVERY, Pick, PickDraws, Picks, nearest, window
from calf_viz.hosts.pictured import Pictured
from calf_viz.hosts.reloading import Reloading
from calf_viz.hosts.ring import Ring
from calf_viz.hosts.setup import Setup
from calf_viz.hud.hud import Hud
from calf_viz.hud.layout import Rect
from calf_viz.profiling.profiler import OFF, PerformanceProfiler
from calf_viz.samples import Samples
from calf_viz.scene.detail import WATCHED, Detail, DetailChooser
from calf_viz.scene.frame import Frame
from calf_viz.scene.ring import Channels, RingLayout, RingPacker
from calf_viz.scene.scene import Scene

log = logging.getLogger("calf_viz")


class Host(Pictured, DrawnSurface):
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
        agents: number of agents in the newest step; the ring grows automatically when more are
            pushed.
        drawn: whether a frame has been drawn.
        scrub: number of steps before the newest that the picture shows, at most `reach`.
        looks_back: whether it can show others than the newest.
        settles: whether, after each step pushed, what a frame would find out is found out without
            drawing it: later frames go on from that.
        hud: the HUD, if there is one; see `set_hud`.
        controls: values of the uniforms that the user can change.
        programs: the shaders in force, and those before them.
        compare: arranges a second look beside this one; None without one.
        picks: pixels that were asked for, and the agents found there.
    """

    KIND = "host"
    design = "gpu"
    profiler: PerformanceProfiler = OFF
    renderer: str
    gl_version: str
    texture_limit: int
    compare: Comparison | None = None
    looks_back = True
    settles = False
    channels: tuple[int, int, int, int] = (0, 1, 2, 3)
    """Positions of (x, y, third, stamp) in a texel's memory."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.scene, self.agents = setup.scene, setup.agents
        self._counts = Counter()
        self.drawn = False
        self.scrub = 0
        self.hud: Hud | None = None
        self.controls = ControlValues()
        self._controls_shown = 0
        self._legend = LegendColours()
        self._stride = setup.scene.stride  # as configured
        self._warned = False
        self._begin_surface(setup)
        self._newest: Samples | None = None
        self.picks = Picks()
        self._pick_draws: PickDraws | None = None

    def _ready(self) -> None:
        """Make ring, detail and surface; called at the end of a subclass's constructor."""
        setup, scene = self.setup, self.scene
        if self.software:
            self.closing.enter_context(raster_threads.apart())
            self.picks = Picks(HOVER_EVERY)
        self.controls.adopt(self.programs.controls)
        slots = setup.steps_kept
        self.layout = RingLayout.fit(setup.agents, slots, self.texture_limit, scene.trail + 1)
        self.packer = packer_of(self.layout, scene, self.channels)
        self.detail = self._make_detail()
        self.ring = self._make_ring(self.layout)
        self._past = LookingBack(self.layout.slots)
        self._settled: NDArray[np.float64] | None = None  # what the stride was last found from
        if setup.heightfield is not None:
            self.set_heightfield(setup.heightfield)

    @property
    @unowned
    def software(self) -> bool:
        """Whether a software rasteriser draws, for which triangles are expensive."""
        return drawn_by_cpu(self.renderer)

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
        self._past.forget()
        if self.detail.surface is not None:
            self.detail.surface = self.scene_levels
        if self._texels is not None:  # older designs put meshes on the surface
            self._upload_heights(self._texels)
        if anew:  # trails that crossed an edge there do not cross it here
            newest = self._newest
            self.restart()
            if newest is not None:
                self.push(replace(newest, first=np.ones(len(newest), dtype=bool)))

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

    def prepare_hud(self) -> Hud | None:
        """The HUD, updated for the frame to be drawn now; None if none is visible."""
        if self.hud is None or not self.hud.visible:
            return None
        with self.profiler.section("ui"):
            if self.controls.changes != self._controls_shown:
                self._controls_shown = self.controls.changes
                self.hud.redraw()
            self.scene.swatches = self._legend.of(
                self.programs, self.controls.changes, self.scene, self._draw_swatches
            )
            self.hud.prepare(self.scene, self.levels, self.scale, self.shown_scale)
        return self.hud

    def panels(self) -> tuple[Rect, ...]:
        """What the HUD's panels will cover of the frame to be drawn now; () if none is visible."""
        if self.hud is None or not self.hud.visible:
            return ()
        return self.hud.panels(self.scene, self.shown_scale)

    def push(self, *samples: Samples) -> None:
        """Add the samples of one step, or of several consecutive ones.

        Raises ValueError for an invalid mode, and UserError for more agents than there is room for;
        nothing is changed then.
        """
        for one in samples:
            self.packer.check(one)
        self.make_room(max(len(one) for one in samples))
        self.agents = len(samples[-1])
        packed = self.packer.pack(*samples, settle=self.settles)
        if self.packer.invalid_seen and not self._warned:
            self._warned = True
            log.warning("positions that are not finite are not drawn (warned once)")
        for row, one, ink in zip(packed.rows, samples, packed.inks, strict=True):
            self.detail.see(row.places, row.begins)
            if self.settles:
                self._settle()
            self._past.note(Then(row.step, len(one), self.detail.measured, ink))
        self.ring.append(packed)
        if any(self.scene.frame.periodic):  # the source may reuse its array
            self._newest = replace(samples[-1], positions=samples[-1].positions.copy())

    def prepare(self, samples: Sequence[Samples], follow: int) -> None:
        """Take note of steps before those that are going to be shown: how trails are drawn follows
        from them. They settle, and are not drawn. follow: how many will come after them."""
        left = follow + len(samples)
        for one in samples:
            left -= 1
            self.detail.idle = left > self.detail.horizon
            few = one.first_of(WATCHED)
            self.make_room(len(few))
            placed = self.packer.prepare(few, len(one))
            self.detail.see(placed.places, placed.began, len(one))
            self._settle()
        self.detail.idle = False

    def _settle(self) -> None:
        """Find the stride, if what it follows from changed."""
        measured = self.detail.measured
        if measured is not None and measured.error is not self._settled:
            self.detail.stride()
            self._settled = measured.error

    @property
    @unowned
    def reach(self) -> int:
        """The most that `scrub` may be: as far back as there are whole trails."""
        if not self.looks_back:
            return 0
        slots = self.layout.slots
        return max(min(self.packer.kept - 1, slots - 1 - self.scene.trail), 0)

    def restart(self, step: int = 0) -> None:
        """Drop all samples; the next one pushed is the first. The camera stays.

        step: its number here, by which it is decided which samples a trail is drawn through.
        """
        # Old texels in the ring have stamps later than the new head: they are not drawn.
        scene = self.scene
        self.packer = packer_of(self.layout, scene, self.channels)
        self.packer.step = step - 1
        surface = self.detail.surface
        scene.stride = self._stride
        self.detail = self._make_detail()
        self.detail.surface = surface
        self._past.forget()
        self._settled = None
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
        scene, packer = self.scene, self.packer
        step = packer.step - self.scrub
        then = self._past.at(step) if self.scrub else None
        scene.stride = self.detail.stride(then and then.measured)
        scene.ink = then.ink if then else packer.ink
        values = scene.uniforms(
            self.grid,
            self.layout,
            then.agents if then else self.agents,
            step,
            packer.runs(self.scrub),
            self.shown_scale.ends,
            self.morph,
        )
        if not self.scrub and step >= 0:
            self._past.note(Then(step, self.agents, self.detail.measured, packer.ink.known))
        self._move_contours()
        return values | self.controls.values

    def picked(self) -> list[Pick]:
        """Agents found, since the last call, at pixels that were asked for by `picks.ask`: some
        frames later, as nothing waits for them."""
        if self.picks.reading and self._pick_draws is not None:
            texels = self._pick_draws.read()
            if texels is not None:
                self.picks.found(texels)
        return self.picks.take()

    def pick(self, x: float, y: float) -> int | None:
        """The agent that the picture shows at a pixel, from the top left corner, or within some
        pixels of it; None if there is none. Waits for the GPU.

        Raises UserError for a pixel outside of the picture, and if this host cannot tell.
        """
        width, height = self.scene.size
        if not (0 <= x < width and 0 <= y < height):
            raise UserError(f"pick: {x:g}, {y:g} is outside of the picture of {width} x {height}")
        if not self.drawn:
            self.draw()
        counts, self._counts = self._counts, Counter()
        try:
            seen = window(self._prepared()["u_view_projection"], self.scene.size, x, y)
            draws = self._picking()
            if draws is None:
                raise UserError(f"pick: the {self.design} host cannot tell agents apart")
            found = nearest(draws.now(seen))
        finally:
            self._counts = counts
        self.count("pick_draws", draws.draws)
        return found

    def _prepared(self) -> dict[str, Any]:
        """Set all inputs for the scene as it is now, and return them."""
        return self.uniforms()

    def _open_picks(self) -> PickDraws | None:
        """Make what draws numbers of agents; None if the host cannot."""
        return None

    def _picking(self) -> PickDraws | None:
        if self._pick_draws is None:
            self._pick_draws = self._open_picks()
        return self._pick_draws

    def _begin_picking(self, values: dict[str, Any]) -> None:
        """Called by hosts before each frame with its inputs: draw numbers, too, if asked to."""
        asked = self.picks.next()
        if asked is None:
            return
        draws = self._picking()
        if draws is not None:
            draws.begin(window(values["u_view_projection"], self.scene.size, asked.x, asked.y))
            self.count("pick_draws", draws.draws)

    def _end_picking(self) -> None:
        """Called by hosts after each frame."""
        self.picks.drawn()
        if self.picks.reading and self._pick_draws is not None:
            self._pick_draws.end()

    def instances(self, uniforms: dict[str, Any]) -> int:
        """Number of instances of the draw."""
        return int(uniforms["u_surface_instances"] + uniforms["u_agents"])

    @unowned
    def count(self, name: str, amount: int = 1) -> None:
        """Add to a count of `frame_counts`."""
        self._counts[name] += amount

    def frame_counts(self) -> Counter[str]:
        """OpenGL work since the last call; to be called after each frame.

        draw_calls: draws of the scene. ring_draws: those that fill the ring. hud_draws: those of
        the HUD. pick_draws: those of agents' numbers. upload_bytes: into textures and buffers.
        mesh_updates: meshes rebuilt. vertices: of all draws. entities: number of objects drawn.
        Missing counts are 0.
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
    def _open_hud(self) -> None:
        """Make what draws a HUD."""

    @abstractmethod
    def _draw_swatches(self, program: Any) -> NDArray[np.uint8]:
        """Draw the cells of `shaders/swatch.vert` with a compiled program and the scene's inputs;
        returns pixels for `scene.swatches`."""

    def bind_keys(self, actions: Mapping[str, Callable[[], Any]]) -> set[str]:
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


def packer_of(layout: RingLayout, scene: Scene, channels: Channels) -> RingPacker:
    """What packs the samples of a scene."""
    return RingPacker(layout, scene.trail, channels, scene.frame, scene.modes, scene.margins)
