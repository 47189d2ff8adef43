"""Pictures of a recording or of a simulation, frame by frame, without a window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calf_viz import systems
from calf_viz.agent.system_view import view_of
from calf_viz.errors import UserError
from calf_viz.hosts import memory
from calf_viz.recording.recording import Recording
from calf_viz.sources.replay import Replay
from calf_viz.viewer.app import HEADLESS_FRAMES, CALFApplication
from calf_viz.viewer.camera_moves import CameraMove, read_camera
from calf_viz.viewer.config import VisualizationConfig
from calf_viz.viewer.film import Asked, pictures, read_fps


class Rendering:
    """A film and what draws it; a context manager.

    Attributes:
        film: which steps are shown.
        config: the configuration of the application.
        camera: how the camera moves.
    """

    def __init__(
        self, recording: Recording | None, config: VisualizationConfig, asked: Asked,
        camera: CameraMove, usual: int | None = None,
    ) -> None:  # fmt: skip
        """recording: stays open. usual: frames, if nothing says where it ends. Raises UserError for
        what cannot be shown; nothing is opened yet."""
        self.config, self.camera, self._recording = config, camera, recording
        if recording is None:
            view = view_of(systems.get(config.system))
            self.film = asked.of_simulation(view, config.speed, usual or HEADLESS_FRAMES)
        else:
            self.film = asked.of_recording(recording, config.speed, usual)
        self._closing = ExitStack()

    def __enter__(self) -> Rendering:
        source = None if self._recording is None else Replay(self._recording, kept=True)
        app = CALFApplication(self.config, source=source)
        self.app = self._closing.enter_context(app)
        app.fit_surface(still=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Each frame's, (height, width, 3) uint8, top row first."""
        return pictures(self.app, self.film, self.camera, self.config.supersample)


def render(
    recording: str | PathLike[str] | Recording | None = None,
    *,
    start: int | str | None = None,
    stop: int | str | None = None,
    frames: int | None = None,
    fps: float | str = 60,
    rate: str | None = None,
    camera: str = "home",
    supersample: int = 1,
    **settings: Any,
) -> NDArray[np.uint8]:
    """Pictures of a recording, or of a simulation, (frames, height, width, 3) uint8, top row first.

        pictures = calf_viz.render("swing.calf", start=100, frames=50, camera="orbit")
        pictures = calf_viz.render(system="pendulum", n_agents=20, frames=1, size=(640, 360))

    The same arguments give the same pictures. Memory is taken for these pictures and one more.

    Args:
        recording: its folder, or an open one, which stays so; None simulates what the settings say.
        start: step of the first picture, or a time such as "2.5s".
        stop: step of the last one; by default the recording's last, or as many `frames` as given.
        frames: how many pictures; of a simulation 300 by default.
        fps: pictures per second, for `rate` and moves of the camera.
        rate: steps per second, "realtime" or "20/s"; by default `speed` steps a picture.
        camera: as for `calf-viz render`: a viewpoint, "orbit", "follow:7", a file of poses.
        supersample: samples per pixel along each axis.
        settings: others of `VisualizationConfig`.

    Raises:
        UserError: something is not there, cannot be drawn, or does not fit the memory left.
    """
    move = read_camera(camera)
    for name in ("headless", "record"):
        if settings.pop(name, None) not in (None, True):
            raise UserError(f"`{name}`: pictures are drawn without a window, and not recorded")
    config = VisualizationConfig.from_preset(
        "medium", supersample=supersample, headless=True, **(move.settings | settings)
    )
    asked = Asked(_text(start), _text(stop), frames, rate, read_fps(str(fps)))
    if recording is None or isinstance(recording, Recording):
        return _array(Rendering(recording, config, asked, move))
    with closing(Recording(recording)) as found:
        return _array(Rendering(found, config, asked, move))


def _array(rendering: Rendering) -> NDArray[np.uint8]:
    """All pictures of it."""
    (width, height), count = rendering.config.size, rendering.film.frames
    needed = count * width * height * 3
    memory.check(needed, f"an array of {count:,} pictures", "fewer `frames` or a smaller `size`")
    result = np.empty((count, height, width, 3), np.uint8)
    with rendering:
        for into, picture in zip(result, rendering.pictures(), strict=True):
            into[:] = picture
    return result


def _text(moment: int | str | None) -> str | None:
    return None if moment is None else str(moment)
