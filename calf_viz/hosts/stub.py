"""A host that draws nothing: a template for a new backend, which documents every method.

    with CALFApplication(config, host=StubHost) as app: ...

Copy it, and fill in the drawing; see `Host` for when each method is called, and what is packed.
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
from calf_viz.hosts.picking import PickDraws
from calf_viz.hosts.reloading import Reloading
from calf_viz.hosts.setup import Setup
from calf_viz.scene.detail import Detail
from calf_viz.scene.frame import Move
from calf_viz.scene.ring import Packed, RingLayout
from calf_viz.scene.swatches import SIZE


class StubRing:
    """Accepts samples, and drops them."""

    def __init__(self, host: Host, layout: RingLayout) -> None:
        """Make the texture `u_ring`: RGBA, float32, `layout.size`, all zero."""
        self.count, self.layout = host.count, layout

    def append(self, packed: Packed) -> None:
        """Write `packed.parts(layout.slots)` into the texture: each is (slot, texels), with texels
        from row `slot * layout.rows` on. They are overwritten by the next steps: upload or copy."""
        for _, texels in packed.parts(self.layout.slots):
            self.count("upload_bytes", texels.nbytes)

    def grow(self, old: RingLayout, new: RingLayout) -> None:
        """Replace the texture by one for more agents, with its samples as `scene.ring.relayout`
        arranges them."""
        self.layout = new

    def move(self, by: Move) -> None:
        """Move the texels' places in the scene as `scene.ring.move` does: the plane's bounds
        changed."""


class StubHost(Host):
    """Accepts everything that a host accepts, and shows the background."""

    design = "stub"
    supersamples = False  # for lack of `_fine_picture`

    def __init__(self, setup: Setup) -> None:
        """Open the resources, and register them with `self.closing`, which closes them in reverse
        order, also after an exception here. Raise UserError, with advice, if the machine cannot."""
        super().__init__(setup)
        self.renderer = "nothing"  # the driver's name, which tells whether it is software
        self.gl_version = "none"
        self.texture_limit = 16_384
        self.programs = Programs(setup.library, self._compile, setup.trial)
        self._use({"field"})
        # Make the palette here, from `self._palette`.
        self._ready()

    def _compile(self, source: ProgramSource) -> Any:
        """Make a program from `source.texts`, vertex and fragment shader in GLSL 3.30. Raise
        ShaderError if it does not compile; `glsl.compiler_log` parses drivers' logs."""
        return source

    def _use(self, names: set[str]) -> None:
        """Switch to the current `self.programs[name]`, for each name that this host uses."""
        for name in names & {"field"}:
            self.programs[name]  # which compiles it

    # The scene's textures

    def _make_ring(self, layout: RingLayout) -> StubRing:
        """Make the ring."""
        return StubRing(self, layout)

    def _upload_heights(self, texels: NDArray[np.float32]) -> None:
        """Make `u_heightfield` from these, (rows, columns, 2): heights of the last surface and of
        this one; the size may differ from the previous one."""
        self.count("upload_bytes", texels.nbytes)

    def _upload_values(self, texels: NDArray[np.float32]) -> None:
        """Fill `u_values` with these, (1, entries, 2): values of the last surface and of this one
        at evenly spaced levels."""
        self.count("upload_bytes", texels.nbytes)

    def _upload_palette(self, texels: NDArray[np.uint8]) -> None:
        """Fill `u_palette` with these, (4, entries, 4), in place of the current ones."""

    # The critic on the GPU

    def _open_critic(self) -> CriticDraws:
        """Make what draws the critic's passes; raise UserError if the host does not support it."""
        raise UserError("`critic_on_gpu`: the stub host evaluates no critic: leave it out")

    def _use_heights(self, name: str) -> None:
        """Draw the surface from the critic's texture of that name instead of the uploaded one."""

    # Frames

    def _open_hud(self) -> None:
        """Make what draws a HUD's `canvas`, with the program `hud`; called again for each new
        version of it."""

    def _draw_swatches(self, program: Any) -> NDArray[np.uint8]:
        """Draw `VERTICES` vertices with a program compiled by `programs.compiler`, and this frame's
        `uniforms()`, as triangles, into a cleared target of `SIZE` without depth; return its
        pixels, RGBA, the lowest row first. Nothing drawn leaves the palette's colours."""
        return np.zeros((SIZE[1], SIZE[0], 4), np.uint8)

    def _draw(self) -> None:
        """Clear to `scene.background`; draw `instances(values)` strips of `u_vertices` vertices
        with the program `field` and this frame's `uniforms()`; then the HUD, if there is one."""
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

    # Optional methods, as inherited

    def _fine_picture(self, samples: int) -> NDArray[np.uint8]:
        """Draw the scene into `scene.samples` without the HUD, average `samples` x `samples` each,
        for example by the program `box_filter`, and draw the HUD over it; as `_picture`."""
        return super()._fine_picture(samples)

    def _make_detail(self) -> Detail:
        """Make what chooses the stride of trails: by the camera, unless vertices are meshes."""
        return super()._make_detail()

    def uniforms(self) -> dict[str, Any]:
        """The values for this frame, by the names in `glsl.contract`; a host may refuse here what
        it cannot show."""
        return super().uniforms()

    def _prepared(self) -> dict[str, Any]:
        """Set all inputs for the scene as it is now, for `pick`, and return them."""
        return super()._prepared()

    def _open_picks(self) -> PickDraws | None:
        """Make what draws numbers of agents in a small window of the picture, so that they can be
        picked; `_draw` then calls `_begin_picking` before a frame and `_end_picking` after it."""
        return super()._open_picks()

    def set_second(self, library: ShaderLibrary, colour_map: NDArray[np.uint8]) -> Reloading:
        """Set `self.compare`, and return what draws the second look; or raise UserError."""
        return super().set_second(library, colour_map)

    def bind_keys(self, actions: Mapping[str, Callable[[], Any]]) -> set[str]:
        """Bind a window's keys to them; returns the names, with the host's own, that have a key.
        A window sets `has_window`, and `unseen` while it is minimised."""
        return super().bind_keys(actions)

    def time_next_frame(self, token: int) -> None:
        """Begin a timer query around the next frame."""

    def gpu_times(self) -> list[tuple[int, float]]:
        """The completed queries: (token, seconds), each once."""
        return super().gpu_times()

    @property
    @unowned
    def closed(self) -> bool:
        """Whether it was closed, or its window by the user."""
        return self.owner.ended
