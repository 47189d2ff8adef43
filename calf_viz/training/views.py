"""What a run writes for people to look at: the last episode's certificate, and plots.

certificate.csv     a line for each step of the last finished episode
certificate.png     q+ between its bounds, the modes below
training.png        reward, success rate, mode shares and P_relax over the episodes
"""

import csv
from pathlib import Path

from calf_viz.errors import UserError, shown
from calf_viz.files import exists, write_aside
from calf_viz.training import plots
from calf_viz.training.columns import CERTIFICATE
from calf_viz.training.trainer import Trainer

WINDOW = 20
"""Episodes over which curves are averaged."""


def write_certificate(folder: Path, trainer: Trainer) -> None:
    """Write `certificate.csv`, or remove it if no episode has finished yet.

    Raises:
        UserError: the file cannot be written.
    """
    path = folder / "certificate.csv"
    if not trainer.last_timeline:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"cannot remove {shown(path)}: {error.strerror}") from error
        return
    with write_aside(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(CERTIFICATE)
        for number, step in enumerate(trainer.last_timeline):
            lines.writerow((number, *step[1:]))


def write_pictures(folder: Path) -> None:
    """Plot the folder's CSV files, if an episode has finished.

    Raises:
        UserError: a picture cannot be written.
    """
    certificate = folder / "certificate.csv"
    if exists(certificate):
        plots.plot_learning([folder / "metrics.csv"], folder / "training.png", WINDOW)
        plots.plot_certificate(certificate, folder / "certificate.png")
