"""Pictures of a host's frames: as they are shown, or with several samples per pixel."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.hosts.memory import NotEnough
from calf_viz.scene.scene import Scene

log = logging.getLogger("calf_viz")

MOST_SAMPLES = 8
"""Largest number of samples per pixel along each axis."""
USUAL_SAMPLES = ((2560 * 1440, 3), (3840 * 2160, 2))
"""Samples per pixel along each axis of pictures up to so many pixels; of larger ones, 1."""


def usual_samples(size: tuple[int, int]) -> int:
    """Samples per pixel along each axis that a picture gets by default."""
    pixels = size[0] * size[1]
    return next((samples for most, samples in USUAL_SAMPLES if pixels <= most), 1)


def check_size(size: tuple[int, int], limit: int) -> None:
    """Raise UserError for a picture wider or higher than the driver allows."""
    if max(size) > limit:
        raise UserError(
            f"`size` {size[0]}x{size[1]}: pictures here are at most {limit} x {limit}: give less"
        )


class Pictured(ABC):
    """Something that draws frames, of which pictures are taken.

    Attributes:
        scene: what is drawn; its `supersample` is 1, except while a picture is being taken.
        design: name of what draws, for messages.
        texture_limit: largest width and height of a texture.
        drawn: whether a frame has been drawn.
        supersamples: whether it can take several samples per pixel.
    """

    scene: Scene
    design: str
    texture_limit: int
    drawn: bool
    supersamples = True
    _counts: Counter[str]

    def draw(self) -> None:
        """Draw a frame: a clear, the scene, and one draw for the HUD."""
        self._draw()
        self.drawn = True

    @abstractmethod
    def _draw(self) -> None:
        """Implementation of `draw`."""

    def screenshot(self, supersample: int | None = 1) -> NDArray[np.uint8]:
        """A picture, (height, width, 3) uint8, top row first; a frame is drawn first if there is
        none yet.

        Args:
            supersample: 1 for the last frame as it is. For more, the scene is drawn anew as it is
                now, that many times as wide and high, and averaged; the HUD is drawn over it, as
                sharp as ever. None for as many samples as usual, or as memory allows.

        Raises:
            UserError: the driver or the memory allows fewer samples.
        """
        if not self.drawn:
            self.draw()
        samples = self.check_samples(supersample)
        while samples > 1:
            try:
                return self._averaged(samples)
            except NotEnough as error:
                if supersample is not None:
                    raise
                samples -= 1
                log.warning(
                    "%s; the picture has %d x %d samples per pixel", error, samples, samples
                )
        return self._picture()

    def check_samples(self, supersample: int | None) -> int:
        """Samples per pixel along each axis of a picture: those given, or as many as usual where
        None is. Raises UserError for more than the driver allows."""
        most = self.texture_limit // max(self.scene.size) if self.supersamples else 1
        if supersample is None:
            return max(min(usual_samples(self.scene.size), most), 1)
        if supersample > max(most, 1):
            width, height = self.scene.size
            why = (
                f"textures here are at most {self.texture_limit} x {self.texture_limit}"
                if self.supersamples
                else f"the {self.design} host takes one sample per pixel"
            )
            raise UserError(
                f"`supersample` {supersample} for {width} x {height}: {why}: give {max(most, 1)}"
            )
        return supersample

    def _averaged(self, samples: int) -> NDArray[np.uint8]:
        """`_fine_picture`, after which everything is as before."""
        counts, self._counts = self._counts, Counter()
        self.scene.supersample = samples
        try:
            return self._fine_picture(samples)
        finally:
            self.scene.supersample = 1
            self._counts = counts

    @abstractmethod
    def _picture(self) -> NDArray[np.uint8]:
        """The last frame."""

    def _fine_picture(self, samples: int) -> NDArray[np.uint8]:
        """Draw the scene in `scene.samples` without a HUD, average blocks of `samples` x `samples`,
        and draw the HUD over the result. Raises NotEnough."""
        raise NotImplementedError
