"""`calf-viz verify`: re-checks a recording, and says so by its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from calf_viz.cli.option_types import GIVEN_RECORDING
from calf_viz.cli.showing import PRESET
from calf_viz.cli.system_option import own_system
from calf_viz.console import plain, say, tables
from calf_viz.errors import UserError
from calf_viz.hosts import display_found

if TYPE_CHECKING:
    from calf_viz.verification.verify import Verdict

LISTED = 20
"""Violations that are printed."""


@click.command()
@click.argument("folder", type=GIVEN_RECORDING)
@own_system
@click.option("--show", is_flag=True, help="Show the first violation, in a window.")
@click.pass_context
def verify(context: click.Context, folder: Path, show: bool) -> None:
    """Re-check every step of a recording FOLDER of CALF's: certificates, modes, resets, motion and
    goals, independently of the code that made it. Exit code 1 if any fails, or cannot be checked
    because steps or networks are missing."""
    from calf_viz.recording.recording import Recording
    from calf_viz.verification.verify import verify as check

    if show and not display_found():
        raise UserError(
            "--show requires a display: leave it out; calf-viz replay --from STEP --output "
            "FILE.png writes a picture of a step"
        )
    recording = Recording(folder)
    verdict = check(recording)
    _print(verdict)
    for violation in verdict.violations[:LISTED]:
        say(f"step {violation.step}, agent {violation.agent}: {violation.check}: {violation.says}")
    say(_summary(verdict, len(recording)))
    if show and not verdict.clean:
        _show(recording, verdict)
    if not (verdict.clean and verdict.complete):
        context.exit(1)


def _summary(verdict: Verdict, steps: int) -> str:
    """The closing line: what is wrong, and what was not checked."""
    failed = sum(verdict.failed.values())
    if failed:
        said = f"{steps:,} steps: {failed:,} checks failed"
    elif verdict.complete:
        said = f"{steps:,} steps, and nothing is wrong with them"
    else:
        said = f"{steps:,} steps: nothing is wrong with what was checked"
    if not verdict.complete:
        said += "; not all can be checked"
    left = [f"{number:,} ({reason})" for reason, number in verdict.unchecked.items() if number]
    return f"{said}; steps of agents not checked: {', '.join(left)}" if left else said


def _print(verdict: Verdict) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE)
    for title in ("check", "steps of agents", "failed"):
        table.add_column(title, justify="left" if title == "check" else "right")
    for name, checked in verdict.checked.items():
        table.add_row(plain(name), plain(f"{checked:,}"), plain(f"{verdict.failed[name]:,}"))
    tables(100).print(table)
    say(
        f"{verdict.episodes:,} episodes ended, {verdict.reached:,} of them in the goal, "
        f"{verdict.truncated:,} cut off"
    )


def _show(recording: object, verdict: Verdict) -> None:
    from calf_viz.recording.recording import Recording
    from calf_viz.sources.replay import Replay
    from calf_viz.viewer.app import CALFApplication
    from calf_viz.viewer.config import VisualizationConfig

    assert isinstance(recording, Recording)
    violation = verdict.violations[0]
    config = VisualizationConfig.from_preset(PRESET, chosen=violation.agent)
    with CALFApplication(config, source=Replay(recording)) as app:
        app.seek(recording.row(violation.step))
        app.playback.toggle()
        app.run()
