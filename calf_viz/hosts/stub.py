"""A host that draws nothing: what every method of one must do, to begin a new backend from.

    with CALFApplication(config, host=StubHost) as app: ...

Copy it, and fill in what draws; `Host` says the rest: when each is called, and what comes packed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.programs import Programs, ProgramSource
from calf_viz.hosts.base import Host
from calf_viz.hosts.context import unowned
from calf_viz.hosts.critic_passes import CriticDraws
from calf_viz.hosts.reloading import Reloading
from calf_viz.hosts.setup import Setup
from calf_viz.scene.detail import Detail
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Packed, RingLayout


class StubRing:
    """Takes samples, and forgets them."""

    def __init__(self, host: Host, layout: RingLayout) -> None:
        """Make the texture `u_ring`: RGBA, float32, `layout.size`, all zero."""
        self.count, self.layout = host.count, layout

    def append(self, packed: Packed) -> None:
        """Write `packed.parts(layout.slots)` into the texture: each is (slot, texels), texels from
        row `slot * layout.rows` on. They are overwritten by the next steps: upload or copy."""
        for _, texels in packed.parts(self.layout.slots):
            self.count("upload_bytes", texels.nbytes)

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        """Make the texture anew for more agents, its samples where `scene.ring.relayout` puts
        them."""
        self.layout = new

    def move(self, by: Move) -> None:
        """Move the texels' places in the scene as `scene.ring.move` does: the plane's bounds
        changed."""


class StubHost(Host):
    """Takes everything that a host takes, and shows the background."""

    design = "stub"

    def __init__(self, setup: Setup) -> None:
        """Open what is drawn with, and give it to `self.closing`, which closes it, the last first,
        whatever is raised here. Raise UserError, with what to do, where the machine cannot."""
        super().__init__(setup)
        self.renderer = "nothing"  # as the driver names itself: whether the CPU draws follows
        self.gl_version = "none"
        self.texture_limit = 16_384
        self.programs = Programs(setup.library, self._compile, setup.trial)
        self._use({"field"})
        # Here comes the palette, of `palette_texels(setup.colour_map, setup.scene.mode_colours)`.
        self._ready()

    def _compile(self, source: ProgramSource) -> Any:
        """Make a program of `source.texts`, vertex and fragment shader in GLSL 3.30. Raise
        ShaderError where the compiler does; `glsl.compiler_log` reads what drivers say."""
        return source

    def _use(self, names: set[str]) -> None:
        """Draw with `self.programs[name]` as it is now, for each name that this host uses."""
        for name in names & {"field"}:
            self.programs[name]  # which compiles it

    # The scene's textures

    def _make_ring(self, layout: RingLayout) -> StubRing:
        """Make what takes the samples."""
        return StubRing(self, layout)

    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        """Make `u_heightfield` of these, (rows, columns, 2): the last surface's heights and this
        one's, of any size, another than before too."""
        self.count("upload_bytes", texels.nbytes)

    def _upload_palette(self, texels: NDArray[np.uint8]) -> None:
        """Fill `u_palette` with these, (2, entries, 4), in place of those that there are."""

    # The critic on the GPU

    def _open_critic(self) -> CriticDraws:
        """Make what draws the critic's passes; raise UserError where the host has none."""
        raise UserError("`critic_on_gpu`: the stub host evaluates no critic: leave it out")

    def _use_heights(self, name: str) -> None:
        """Draw the surface from the critic's texture of that name, in place of the uploaded one."""

    # Frames

    def _open_hud(self) -> None:
        """Make what draws a HUD's `canvas`, with the program `hud`; called again for each new
        version of that program."""

    def _draw(self) -> None:
        """Clear to `scene.background`; draw `instances(values)` strips of `u_vertices` vertices in
        the program `field`, with the `uniforms()` of this frame; then the HUD, if there is one."""
        values = self.uniforms()
        self.count("draw_calls")
        self.count("vertices", values["u_vertices"] * self.instances(values))
        self.count("entities")
        hud = self.prepare_hud()
        if hud is not None:
            self.count("hud_draws")

    def _picture(self) -> NDArray[np.uint8]:
        """Read the last frame back: (height, width, 3), top row first."""
        (width, height), colour = self.scene.size, np.asarray(self.background)
        return np.full((height, width, 3), np.rint(255 * colour), np.uint8)

    # What a host may have beside; without these lines it is as they say

    def _make_detail(self) -> Detail:
        """What chooses how much of a trail is drawn: by the camera, unless vertices are meshes."""
        return super()._make_detail()

    def uniforms(self) -> dict[str, Any]:
        """The values of this frame, by the names of `glsl.contract`; here a host may say no to
        what it cannot show."""
        return super().uniforms()

    def set_second(self, library: ShaderLibrary, colour_map: NDArray[np.uint8]) -> Reloading:
        """Set `self.compare`, and give what wears the second look; or UserError."""
        return super().set_second(library, colour_map)

    def bind_keys(self, actions: Mapping[str, Callable[[], None]]) -> set[str]:
        """Have a window's keys call them; the names of those, and of its own, that now have one.
        A window sets `has_window`, and `unseen` while it is minimised."""
        return super().bind_keys(actions)

    def time_next_frame(self, token: int) -> None:
        """Begin a timer query around the next frame."""

    def gpu_times(self) -> list[tuple[int, float]]:
        """The queries that have come back: (token, seconds), each once."""
        return super().gpu_times()

    @property
    @unowned
    def closed(self) -> bool:
        """Whether it was closed, or its window by its user."""
        return self.owner.ended
