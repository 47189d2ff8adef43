"""Takes down what a feed returns, from its first step on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.profiling import machine
from calf_viz.recording.arrow import arrow
from calf_viz.recording.copying import Copies, local_folder
from calf_viz.recording.folder import check_new
from calf_viz.recording.limits import Limits, read_size
from calf_viz.samples import Samples
from calf_viz.sources.base import Recordable, Source, capable
from calf_viz.view import View
from calf_viz.viewer.config import VisualizationConfig
from calf_viz.viewer.description import plain

if TYPE_CHECKING:
    from calf_viz.hosts.base import Host
    from calf_viz.recording.recorder import Recorder


class Taps:
    """A `Tap` that takes down everything."""

    def __init__(self, recorder: Recorder, recordable: Recordable | None = None) -> None:
        """recordable: the source, if it is."""
        self._recorder, self._recordable, self._paused = recorder, recordable, False

    def steps(self, found: list[Samples], view: View) -> None:
        """Steps that were taken."""
        for samples in found:
            self._recorder.see(samples)

    def surface(self, field: Heightfield) -> None:
        """A surface, shown from the next step on."""
        source = self._recordable
        if source is None:
            self._recorder.critic(field)
        else:
            self._recorder.critic(field, source.trained, source.weights())

    def bounds(self, view: View) -> None:
        """The plane has other bounds."""
        self._recorder.note("bounds", text=f"{[*view.lo, *view.hi]}")

    def pause(self, paused: bool) -> None:
        """Called before each frame."""
        if paused != self._paused:
            self._recorder.note("pause" if paused else "resume")
        self._paused = paused


class Recorded:
    """The recording of an application, if one is configured: a `Tap` of its feed.

    Attributes:
        recorder: what writes it; None before the first step, and without one.
        shown: what decides for the agents, in a few words, if that is known.
    """

    def __init__(self, config: VisualizationConfig) -> None:
        """Raises UserError if the folder is there already, or pyarrow is missing."""
        self._config = config
        self.recorder: Recorder | None = None
        self.shown: str | None = None
        self._surface: Heightfield | None = None
        self._taps: Taps | None = None
        self._copies: Copies | None = None
        if config.record is not None:
            arrow()
            self._folder, self._address = local_folder(config.record, "`record`")
            check_new(self._folder, "`record`")

    def watch(self, source: Source, host: Host) -> bool:
        """From now on it is this source that is shown; returns whether it is recorded. Raises
        UserError if another one was recorded."""
        if self._config.record is None:
            return False
        if self.recorder is not None:
            raise UserError("`record`: a recording is of one source: begin it with that one")
        self._source, self._host = source, host
        self._recordable = capable(source, Recordable)
        if self._recordable is not None:
            self._recordable.record()
        return True

    @property
    def notice(self) -> str | None:
        """Why nothing more is recorded, or how much is not, in one line; None if all is."""
        recorder = self.recorder
        if recorder is None or recorder.ended is not None or not recorder.left_out:
            return None if recorder is None else recorder.ended
        return f"the disk is too slow: {recorder.left_out:,} steps or events are not recorded"

    def steps(self, found: list[Samples], view: View) -> None:
        """Steps that were taken."""
        taps = self._taps or self._begin(view)
        taps.steps(found, view)

    def surface(self, field: Heightfield) -> None:
        """A surface, shown from the next step on."""
        if self._taps is None:
            self._surface = field
        else:
            self._taps.surface(field)

    def bounds(self, view: View) -> None:
        """The plane has other bounds."""
        if self._taps is not None:
            self._taps.bounds(view)

    def pause(self, paused: bool) -> None:
        """Called before each frame."""
        if self._taps is not None:
            self._taps.pause(paused)

    def mark(self, back: int) -> bool:
        """The user marks a step, so many before the newest; returns whether it is recorded."""
        return self.recorder is not None and self.recorder.note("mark", back=back)

    def restart(self) -> None:
        """The source starts over."""
        if self.recorder is not None:
            self.recorder.note("restart")

    def _begin(self, view: View) -> Taps:
        from calf_viz.recording.recorder import Recorder

        config = self._config
        limits = Limits(config.record_every, read_size(config.record_limit), config.record_zstd)
        self.recorder = Recorder(self._folder, view, self._about(), limits)
        if self._address is not None:
            self._copies = Copies(self._folder, self._address)
        self._taps = Taps(self.recorder, self._recordable)
        surface, self._surface = self._surface, None
        if surface is not None:
            self._taps.surface(surface)
        return self._taps

    def _about(self) -> dict[str, Any]:
        config, host = self._config, self._host
        decided = None if self._recordable is None else self._recordable.about()
        known = {}
        if decided is not None:
            known = {"environment" if "environment" in decided else "agent": decided}
        return {
            **known,
            "shown": self.shown,
            "source": type(self._source).__name__,
            "configuration": plain(config),
            "machine": machine.describe(host.renderer, host.gl_version),
        }

    def close(self) -> None:
        """Write what is left."""
        if self.recorder is not None:
            self.recorder.close()
        if self._copies is not None:
            self._copies.close()
