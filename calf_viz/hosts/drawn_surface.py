"""What a host draws of a surface: levels, their scale, the morph from the last one, contours."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from calf_viz.critic_networks import CriticNetworks
from calf_viz.errors import UserError
from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.heightfield import Grid, Heightfield
from calf_viz.hosts.context import unowned
from calf_viz.hosts.critic_passes import CriticDraws, CriticPasses, Evaluated
from calf_viz.hosts.reloading import Reloading
from calf_viz.hosts.setup import Setup
from calf_viz.hosts.shown_scale import ShownScale
from calf_viz.scene.camera import Point
from calf_viz.scene.colours import ScaleMarks, mark_scale
from calf_viz.scene.detail import Detail
from calf_viz.scene.height_texels import LevelField, height_texels, level_field, shown_heights
from calf_viz.scene.ring import MOST_TEXELS
from calf_viz.scene.scene import Scene
from calf_viz.value_limits import Scaling
from calf_viz.value_scale import Scale, ValueScale


class DrawnSurface(Reloading):
    """The part of a host that has to do with its surface, and with the colours of that.

    Attributes:
        morph: 0 shows the last critic's surface, 1 the current one's.
        scaling: how scales of surfaces are made: those set from now on, and by `rescale`.
    """

    scene: Scene
    texture_limit: int
    detail: Detail

    heightfield: Heightfield
    """The surface drawn; only some nodes of it if the GPU evaluates it."""
    levels: LevelField
    """Its levels, 0 lowest and 1 highest, which are the heights and colours drawn."""

    def _begin_surface(self, setup: Setup) -> None:
        self.morph = 1.0
        self.scaling = Scaling()
        self._scales = ShownScale()
        self._texels: NDArray[np.float32] | None = None
        self._critic: CriticPasses | None = None
        self._grid: Grid | None = None
        self._palette = setup.scene.palette(setup.colour_map)
        self._colour_map = setup.colour_map
        self._ground = setup.scene.background
        self._marks = ScaleMarks(np.zeros(PALETTE_COLOURS, np.uint8))

    @abstractmethod
    def count(self, name: str, amount: int = 1) -> None:
        """Add to a count of a frame."""

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
        if last is not None and last.shape != heightfield.shape:  # then there is no morph
            last = None
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
    def scene_levels(self) -> LevelField:
        """The levels drawn, in units of the scene."""
        return self.scene.frame.surface(self.levels)

    @property
    @unowned
    def ground(self) -> Heightfield:
        """The surface drawn, with its heights, in units of the scene."""
        field = self.scene_levels
        return Heightfield(self.scene.height_scale * field.values, field.lo, field.hi)

    @unowned
    def place(self, position: NDArray[np.floating]) -> Point | None:
        """Where an agent at a position (2,) of the plane is drawn, on the surface [scene units];
        None if that is not finite."""
        field = self.scene_levels  # not `ground`, which is a copy of all of it
        at = self.scene.frame.samples(position[None])
        if not np.isfinite(at).all():
            return None
        x, y = map(float, at[0])
        return x, y, float(field.heights(at)[0]) * self.scene.height_scale

    def frame_surface(self) -> None:
        """Point the camera at plane and surface from the default side, far enough away for all of
        them to be in the picture, also from all other sides."""
        scene, ground = self.scene, self.ground
        lo, hi = scene.frame.places(np.array(scene.frame.plane or (ground.lo, ground.hi))).tolist()
        scene.camera.frame((*lo, *hi, scene.height_scale), ground.points)

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

    def set_colour_map(self, colour_map: NDArray[np.uint8]) -> None:
        """Set the surface's colours, RGBA from low to high, as many as before."""
        self._colour_map, self._palette = colour_map, self.scene.palette(colour_map)
        self._mark_palette()

    def _move_contours(self) -> None:
        """Bring the contours to where the shown scale has them, if they moved."""
        marks = self._scales.new_marks(self.morph)
        if marks is None or marks.same(self._marks):
            marks = None if self._ground == self.background else self._marks
        if marks is not None:
            self._marks = marks
            self._mark_palette()
            self.count("upload_bytes", self._palette.nbytes)

    def _mark_palette(self) -> None:
        self._ground = self.background
        mark_scale(self._palette, self._colour_map, self._marks, self.background)
        self._upload_palette(self._palette)

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
