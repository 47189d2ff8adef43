"""A run's metrics for TensorBoard, if it is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from calf_viz.agent.modes import NAMES
from calf_viz.errors import UserError, shown
from calf_viz.training.trainer import Episode, Trainer


class TensorBoard:
    """A `MetricsWriter`: each episode's metrics as scalars below a folder.

    All methods raise UserError if the folder cannot be written; the constructor, if TensorBoard is
    not installed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._writer_class = folder, summary_writer()

    def start(self, trainer: Trainer) -> None:
        """Open the event file."""
        # Episodes that an earlier attempt wrote after its checkpoint are written again.
        with self._reported():
            self.writer = self._writer_class(str(self.folder), purge_step=trainer.done)

    def episode(self, trainer: Trainer) -> None:
        """Write the episode that just ended."""
        episode = trainer.recent[-1]
        with self._reported():
            for name, value in scalars(episode).items():
                self.writer.add_scalar(name, value, episode.episode)

    def checkpoint(self, trainer: Trainer) -> None:
        """Flush to disk."""
        with self._reported():
            self.writer.flush()

    def close(self) -> None:
        """Flush to disk and close."""
        with self._reported():
            self.writer.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"cannot write {shown(self.folder)}: {error.strerror or error}; make room or put "
                "that right, then `resume`"
            ) from error


def summary_writer() -> Any:
    """TensorBoard's `SummaryWriter` class.

    Raises:
        UserError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UserError(
            "`tensorboard` needs TensorBoard: pip install 'calf_viz[tensorboard]'"
        ) from error
    return SummaryWriter


def scalars(episode: Episode) -> dict[str, float]:
    """An episode's scalars by name; the modes as shares of its steps."""
    steps = max(episode.steps, 1)
    shares = {f"modes/{name}": episode.modes[i] / steps for i, name in enumerate(NAMES)}
    return {
        "episode/return": episode.ret,
        "episode/steps": float(episode.steps),
        "episode/goal": float(episode.goal),
        "p_relax": episode.p_relax,
        **shares,
    }
