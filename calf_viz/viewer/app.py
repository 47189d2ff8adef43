"""The application: draws the steps of a source with a host."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from calf_viz.errors import UserError
from calf_viz.files import write_aside
from calf_viz.hosts import raster_threads
from calf_viz.hosts.context import unowned
from calf_viz.viewer.opening import begin_training
from calf_viz.viewer.session import Session

if TYPE_CHECKING:
    import numpy as np

    from calf_viz.agent.explanation import Explanation

HEADLESS_FRAMES = 300
SCREENSHOT_FRAMES = (60, 240, 600)


class CALFApplication(Session):
    """Shows agents that follow a trained policy on their critic's surface, or any other source.

        with CALFApplication(config=VisualizationConfig.from_preset("medium")) as app:
            app.run()

    Only the thread that made it may use it, until it is closed; otherwise UserError is raised.

    Resources and attributes are those of `Session`.
    """

    def advance(self, steps: int | None = None) -> int:
        """Take the source's steps for a frame, or that many, without drawing them; returns by how
        many the picture moves on."""
        before = self.playhead.at
        self._push(self.playhead.take(1, self.config.speed if steps is None else steps))
        return self.playhead.at - before

    def step(self) -> None:
        """Take `speed` steps of the source (or all new ones, if it is live; a single one while
        paused) and draw a frame."""
        self._step(1)

    def _step(self, times: int) -> None:
        """Take `speed` steps so many times, or back if negative, and draw a frame."""
        profiler, host = self.profiler, self.host
        self.feed.pause(self.playback.paused)
        with profiler.frame():
            samples = self.playhead.take(times, self.config.speed)
            start = time.perf_counter()
            self._push(samples)
            if profiler.enabled:
                host.time_next_frame(profiler.frame_number)
            self._draw()
            self.frame_times.append(time.perf_counter() - start)
            self.frames += 1
            profiler.count_all(host.frame_counts())
        for number, seconds in host.gpu_times():
            profiler.set_gpu_time(number, seconds)

    def draw(self) -> None:
        """Draw a frame of the current state."""
        self.feed.pause(self.playback.paused)
        self._push(self.feed.late_steps())
        self._draw()

    def picture(self, supersample: int | None = 1) -> NDArray[np.uint8]:
        """Draw a frame of the current state, and return it as `screenshot` does; with several
        samples per pixel only those are drawn.

        Raises UserError for more samples than the driver allows.
        """
        if self.display is not None:
            self.display.refresh()  # each picture of a video may become a figure
        if self.host.check_samples(supersample) == 1:
            self.draw()
            return self.host.screenshot()
        found: list[NDArray[np.uint8]] = []
        self._draw(lambda: found.append(self.host.screenshot(supersample)))
        return found[-1]

    def _draw(self, draw: Callable[[], None] | None = None) -> None:
        """draw: draws the host's frame, if it is not its `draw`."""
        if self.host.scene.size != self._fitted_size:
            self._fitted_size = self.host.scene.size
            self.fit_surface()
        self.sliders.poll()
        if (row := self.scrubbing.wanted(self.playhead)) is not None:
            self.playhead.go(row)
        self.scrubbing.frame(self.playhead, self.marks, self.playback)
        self.surface.scale(*self.scaling)
        self.surface.frame(self.feed)
        self.looks.use_theme(self.host, self.feed.view, self.config.theme)
        self.looks.poll()
        self.picker.frame()
        chosen = self._highlight()
        if self.display is not None:
            notice = self.feed.notice or self.recorded.notice
            speed = str(self.config.speed) if self.config.speed > 1 else None
            texts = {"state": self.playback.text, "steps_a_frame": speed, "chosen": chosen}
            texts |= self.looks.texts(self.host)
            self.display.look(self.playhead)
            self.display.account.tell(self.picker.agent, self.config.why, self.playback.paused)
            self.display.frame(self.actions.notice, notice, texts)
        self.director.frame()  # when panels are known
        if self.following.on:
            self.following.frame(self.playhead.samples(), self.config.chosen or 0)
        with self.profiler.section("draw"):
            self.looks.draw(draw or self.host.draw)

    def pick(self, x: float, y: float) -> int | None:
        """The agent that the picture shows at a pixel, counted from its top left corner, or within
        4 pixels of it, by its marker or its trail, as far as nothing hides it; None if there is
        none. Panels do not hide anything.

        Raises UserError for a pixel outside of the picture.
        """
        return self.host.pick(x, y)

    def explain(self, agent: int) -> Explanation | None:
        """Why an agent, counted from 0, took its last step; None if that is not known: no decision
        led where an episode begins, or the source does not say."""
        return self.feed.why(agent)

    def screenshot(self, supersample: int | None = 1) -> NDArray[np.uint8]:
        """The last frame drawn, (height, width, 3) uint8, top row first.

        Texts, which change only at intervals, are brought up to date first. Before the first frame,
        the picture shows the surface alone.

        supersample: samples per pixel along each axis, as for `Host.screenshot`. Raises UserError
        for more than the driver allows.
        """
        if not self.host.drawn:
            self.draw()
        if self.display is not None and self.display.refresh():
            self.host.draw()
        return self.host.screenshot(supersample)

    def save_screenshot(self, path: str | Path) -> Path:
        """Write a picture as a PNG, and return its path; an existing file is replaced.

        It has the configured `supersample`: with 1 it is what `screenshot` returns.

        Raises UserError if it cannot be written, or has more samples than the driver allows.
        """
        from PIL import Image

        picture, path = self.screenshot(self.config.supersample), Path(path)
        with write_aside(path) as part:
            Image.fromarray(picture).save(part, format="PNG")
        return path

    def run(self, each_frame: Callable[[], Any] = lambda: None) -> None:
        """Step until the window is closed or the configured number of frames is drawn.

        `each_frame` is called after each. Without a window, the default is 300 frames; it also ends
        if the source fails. Frames drawn while paused do not count.
        """
        frames = self.config.frames
        if frames is None and not self.host.has_window:
            frames = HEADLESS_FRAMES
        while not self.host.closed and (frames is None or self.frames < frames):
            times = self.playback.take()
            if times or not self.playback.paused:
                self._step(times)
            else:
                self.draw()
            each_frame()
            if self.feed.failure is not None and not self.host.has_window:
                break

    def start_training(self) -> Path:
        """Start training in a separate process, and show what it learns; returns the run's folder.

        Raises UserError if the run cannot be written or resumed, and for a second training.
        """
        if self.simulation is None:
            raise UserError("start_training: a source that was given is shown as it is")
        if self.live is not None:
            raise UserError(f"{self.live.run.folder} is trained here: make another application")
        self.host.make_room(self.n_agents + 1)  # including the one in training
        self.live = begin_training(self.training, self.simulation, self.config)
        raster_threads.release()  # the training occupies a core
        self.training = self.live.run.config
        self.simulation.memory.reset()
        self._use(self.live)
        self.show_critic(restart=True)
        self.director.surface_changed(self.feed.view)
        if self.display is not None:
            self.display.read(self.feed)
            self.display.show_training(self.live.process.board, self.training)
            self.display.hud.update(shown=self._decided_by())
        return self.live.run.folder

    def train(self, each_frame: Callable[[], Any] = lambda: None) -> None:
        """`start_training`, then `run`; the training ends with it, unless it is detached."""
        self.start_training()
        try:
            self.run(each_frame)
        finally:
            self.stop_training()

    @unowned
    def stop_training(self) -> None:
        """End a training with a checkpoint, or let it go on if it is detached."""
        if self.live is not None:
            self.live.close()

    @property
    @unowned
    def failure(self) -> str | None:
        """Why nothing new is shown, in one line: the source failed, or the training died; else
        None."""
        return self.training_failure or self.feed.failure

    @property
    @unowned
    def training_failure(self) -> str | None:
        """Why the training died, in one line; None if it did not."""
        return self.live.failure if self.live is not None else None
