"""The progress bar of a training."""

from contextlib import suppress
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from calf_viz.agent.modes import NAMES
from calf_viz.console import bar
from calf_viz.training.trainer import Trainer

RECENT = 20
"""Episodes over which the figures shown are averaged."""


class TrainingProgress:
    """A progress bar with reward, success rate and mode shares over the last episodes."""

    def __init__(self, trainer: Trainer, shown: bool = True) -> None:
        # Without the system's name, so that it all fits a terminal of 80 columns.
        self.bar = bar(
            BarColumn(bar_width=12),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            shown=shown,
        )
        total = trainer.config.episodes
        self.task = self.bar.add_task("", total=total, completed=trainer.done, figures="")

    def update(self, trainer: Trainer) -> None:
        """Show the trainer as it is now."""
        figures = summary(trainer)
        with suppress(OSError):  # the terminal is gone, but the training goes on
            self.bar.update(self.task, completed=trainer.done, figures=figures)

    def __enter__(self) -> "TrainingProgress":
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self.bar.stop()


def summary(trainer: Trainer) -> str:
    """Reward, success rate and mode shares (certified/relax/nominal, by their initials) over the
    last `RECENT` episodes."""
    last = list(trainer.recent)[-RECENT:]
    steps = max(sum(episode.steps for episode in last), 1)
    reward = sum(episode.ret for episode in last) / max(len(last), 1)
    goal = sum(episode.goal for episode in last) / max(len(last), 1)
    shares = [sum(episode.modes[m] for episode in last) / steps for m in range(len(NAMES))]
    initials = "/".join(name[0] for name in NAMES)
    modes = "/".join(f"{100 * share:.0f}" for share in shares)
    return f"reward {reward:.0f} goal {100 * goal:.0f}% {initials} {modes}%"
