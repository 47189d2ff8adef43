"""`calf-viz record` and `calf-viz replay`: recordings of loops, and what they show."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from calf_viz.cli.attach import OF_A_SIMULATION, TOLD
from calf_viz.cli.config_options import config_options
from calf_viz.cli.fork_options import fork_options, forked
from calf_viz.cli.moments import moment
from calf_viz.cli.option_types import GIVEN_RECORDING
from calf_viz.cli.showing import PRESET, config_of, picture_options, show_as_asked
from calf_viz.cli.signals import ended_as_by_ctrl_c
from calf_viz.cli.system_option import own_system
from calf_viz.console import say
from calf_viz.errors import UserError
from calf_viz.sources.attached import find, watch
from calf_viz.viewer.config import RECORDING_ONLY

WAIT = 0.01
"""Seconds between looks at a loop that has nothing new."""


@click.command()
@click.argument("name")
@click.argument("folder", type=GIVEN_RECORDING)
@click.option("--every", default=1, help="Steps between rows.  [default: 1]")
@click.option("--limit", help="Size at which it ends, such as 500MB or 20GB.  [default: none]")
@click.option("--zstd", is_flag=True, help="Compress it, to about half.")
@click.pass_context
def record(
    context: click.Context,
    name: str,
    folder: str | Path,
    every: int,
    limit: str | None,
    zstd: bool,
) -> None:
    """Record a training loop that runs on this machine, its NAME or process id, into a new FOLDER,
    or at an address such as s3://bucket/walk.calf, until it ends or Ctrl-C."""
    from calf_viz.recording.copying import Copies, local_folder
    from calf_viz.recording.limits import Limits, read_size
    from calf_viz.recording.recorder import Recorder
    from calf_viz.viewer.feed import Feed
    from calf_viz.viewer.recorded import Taps

    if every < 1:
        raise UserError(f"--every {every}: give 1 or more")
    limits = Limits(every, read_size(limit), zstd)
    source = watch(find(name))
    feed = Feed(source)
    own, address = local_folder(folder)
    recorder = Recorder(own, feed.view, {"source": type(source).__name__}, limits)
    copies = None if address is None else Copies(own, address)
    feed.tap = taps = Taps(recorder)
    say(f"recording {name} to {own}: Ctrl-C ends it")
    try:
        with ended_as_by_ctrl_c():
            while recorder.ended is None and feed.failure is None:
                taps.pause(source.paused)
                feed.surface()  # shown from the next step on
                if not feed.steps():
                    if not source.running:
                        break
                    time.sleep(WAIT)
    except KeyboardInterrupt:
        pass
    finally:
        feed.close()
        recorder.close()
        if copies is not None:
            copies.close()
    say(f"{recorder.acknowledged:,} rows, {recorder.bytes / 1e6:,.1f} MB in {own}")
    if recorder.left_out:
        say(f"{recorder.left_out:,} steps or events are not in it: the disk was too slow")
    if feed.failure is not None or recorder.failed:  # reported already
        context.exit(1)


def replay_options(command: Any) -> Any:
    """Add an option for each setting of the picture of a recording."""
    without = [name for name in OF_A_SIMULATION if name != "speed"]
    told = {"morph_frames": TOLD["morph_frames"]}
    without += ["record", *RECORDING_ONLY]
    return config_options(command, without, told, of_preset=PRESET)


@click.command()
@click.argument("folder", type=GIVEN_RECORDING)
@own_system
@replay_options
@click.option("--from", "start",
              help="First step, or a time such as 2.5s.  [default: 0, or the fork's]")  # fmt: skip
@fork_options
@picture_options
@click.pass_context
def replay(
    context: click.Context,
    folder: Path,
    start: str | None,
    fork: str | None,
    policies: str | None,
    agents: str | None,
    ghost_steps: int | None,
    screenshot: bool,
    output: Path | None,
    **changes: Any,
) -> None:
    """Show a recording, a FOLDER *.calf that --record or `calf-viz record` wrote: agents as they
    were, on the critic of then."""
    from calf_viz.recording.recording import Recording
    from calf_viz.sources.replay import Replay
    from calf_viz.viewer.app import CALFApplication

    config = config_of(context, changes)
    recording = Recording(folder)
    forking = moment(recording, "fork", fork)
    ghosts = forked(recording, forking, policies, agents, ghost_steps)
    first = forking if start is None else moment(recording, "from", start)
    row = 0 if first is None else recording.find(first, "from")
    with CALFApplication(config, source=Replay(recording, ghosts=ghosts)) as app:
        if row > 0:
            app.seek(row - 1)  # the next frame shows it
        show_as_asked(app, screenshot, output)
        failure = app.failure
    if failure is not None:  # reported already
        context.exit(1)
