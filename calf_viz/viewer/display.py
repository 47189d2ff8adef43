"""The HUD's contents: about the source, a training, and the looks."""

from __future__ import annotations

from calf_viz.hosts.base import Host
from calf_viz.hud.hud import Hud
from calf_viz.hud.overview import overview
from calf_viz.hud.trail_legend import TrailLegend, speed_unit
from calf_viz.samples import Samples
from calf_viz.scene.scene import Scene
from calf_viz.sources.attached import Attached
from calf_viz.sources.base import Forkable, Seekable, capable
from calf_viz.sources.trainer_board import TrainerBoard
from calf_viz.training.config import TrainingConfig
from calf_viz.view import View
from calf_viz.viewer.agent_account import AgentAccount
from calf_viz.viewer.attached_panel import AttachedPanel
from calf_viz.viewer.feed import Feed
from calf_viz.viewer.playhead import Playhead
from calf_viz.viewer.readings import Readings
from calf_viz.viewer.stats_cache import StatsCache
from calf_viz.viewer.training_panel import TrainingPanel


class Display:
    """Opens a host's HUD, and keeps it up to date.

    Attributes:
        hud: the HUD.
        readings: texts about the source's samples.
        training_panel: panel of the watched training; None without one.
        attached_panel: panel of the attached loop; None without one.
        account: panel of the agent that was chosen, or that the mouse points at.
    """

    readings: Readings
    feed: Feed

    def __init__(
        self, host: Host, feed: Feed, stats: StatsCache, keys: list[tuple[str, str]]
    ) -> None:
        """stats: determines when texts change. keys: the bound keys, and what each does."""
        self.host, self.stats = host, stats
        self.training_panel: TrainingPanel | None = None
        self.attached_panel: AttachedPanel | None = None
        self.hud: Hud = overview(feed.view, keys)
        self._view = feed.view
        self._legend = _trail_legend(feed.view, host.scene)
        self.hud.add(self._legend, before="value")
        host.set_hud(self.hud)
        self.account = AgentAccount(self.hud, feed)
        self.read(feed)

    def read(self, feed: Feed) -> None:
        """Show readings of this source from its next step on."""
        host, self.feed = self.host, feed
        self.readings = Readings(
            self.hud, self.stats, feed.view,
            lambda samples: feed.mean_value(samples, host.heightfield), timed=host.has_window,
        )  # fmt: skip
        self.readings.trainee_apart = self.training_panel is not None
        if capable(feed.source, Seekable) is not None:  # of any row, in any order
            self.readings.taken = lambda samples: (samples.step or 0) + 1
            self.readings.all_seen = False
        if (forkable := capable(feed.source, Forkable)) is not None:
            self.readings.rare = forkable.ghost_modes
        self.account.read(feed)

    def show_training(self, board: TrainerBoard, training: TrainingConfig) -> None:
        """Add a panel for the training on the board."""
        self.readings.trainee_apart = True
        self.training_panel = TrainingPanel(self.hud, self.stats, board, self.host.scene, training)

    def show_attached(self, source: Attached) -> None:
        """Add a panel for the loop of this source."""
        self.attached_panel = AttachedPanel(self.hud, self.stats, source, self.host.scene)
        self.readings.taken = lambda _: source.taken

    def look(self, head: Playhead) -> None:
        """Show texts of the step that the picture shows."""
        back = self.host.scrub
        samples = head.samples() if back else None
        self.readings.look_back(samples, back)
        self.account.look_back(samples, back, head.seekable is None)

    def see(self, samples: list[Samples]) -> None:
        """Steps of the source."""
        self.readings.see(*samples)
        self.account.see(samples)

    def frame(self, said: str | None, notice: str | None, texts: dict[str, str | None]) -> None:
        """Called before each frame. said: message of the program. notice: of the source, shown in a
        training's panel if there is one. texts: by the HUD's keys."""
        if self.training_panel is not None:
            self.training_panel.frame(notice)
            notice = None
        if self.attached_panel is not None:
            self.attached_panel.frame()
            even = self.attached_panel.source.even
        else:
            even = True
        if self.feed.view is not self._view or even != self._legend.even:
            self._view, self._legend.even = self.feed.view, even
            self._legend.crossing = _crossing(self._view)
            self.hud.redraw()
        with self.host.profiler.section("stats"):
            self.hud.update(notice=said or notice, **texts)
            self.readings.frame(self.host.heightfield)
            self.account.frame()

    def refresh(self) -> bool:
        """Bring the texts up to date; returns whether any were out of date."""
        stale, account = self.readings.stale, self.account.stale
        if stale:
            self.readings.refresh(self.host.heightfield)
        if account:
            self.account.refresh()
        return stale or account


def _trail_legend(view: View, scene: Scene) -> TrailLegend:
    return TrailLegend(
        duration=scene.trail * (view.dt or 1.0),
        crossing=_crossing(view),
        unit=speed_unit(view.units, view.dt is not None),
        timed=view.dt is not None,
    )


def _crossing(view: View) -> float:
    """Speed of an agent that passes the plane's width in one step: per second, or per step if steps
    have no duration."""
    return (view.hi[0] - view.lo[0]) / (view.dt or 1.0)
