"""Which steps of a recording the pictures of a video show, and how they come there."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from applications import PICTURE, record
from click.testing import CliRunner

import calf_viz
from calf_viz import Samples, UserError, View
from calf_viz.cli.main import calf_viz as command
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.viewer.feed import Feed
from calf_viz.viewer.film import per_frame, read_fps

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

STEPS = 40


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("film") / "a.calf"
    record(folder, STEPS)
    return folder


@pytest.mark.parametrize(
    ("text", "fps"),
    [("60", 60), ("29.97", Fraction(2997, 100)), ("30000/1001", Fraction(30000, 1001)),
     (".5", Fraction(1, 2)), ("24.", 24), (" 25 ", 25), ("1000.0", 1000)],
)  # fmt: skip
def test_frames_per_second_are_exact(text: str, fps: Fraction) -> None:
    assert read_fps(text) == fps


def test_steps_that_take_ages_are_refused_in_real_time() -> None:
    with pytest.raises(UserError, match="its steps take 1e"):
        per_frame("realtime", 1, Fraction(60), 1, 1e10)


def test_a_recording_stays_as_it_was_given(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open if it was, and otherwise closed, even if nothing is drawn."""
    closed: list[Recording] = []
    close = Recording.close
    monkeypatch.setattr(Recording, "close", lambda self: (closed.append(self), close(self)))
    found = Recording(recording)
    pictures = calf_viz.render(found, frames=2, **PICTURE)
    assert not closed and found.samples(STEPS - 1).step == STEPS - 1
    np.testing.assert_array_equal(calf_viz.render(found, frames=2, **PICTURE), pictures)
    assert not closed
    for settings in ({"frames": 2}, {"start": STEPS}, {"start": 9, "stop": 3}):
        closed.clear()
        with suppress(UserError):
            calf_viz.render(recording, **settings, **PICTURE)
        assert len(closed) == 1
    closed.clear()
    small = ["--size", "192x108", "--no-hud", "--output", str(tmp_path / "a.png")]
    for more in ([], ["--overwrite", "--from", str(STEPS)]):
        found_again = CliRunner().invoke(command, ["render", str(recording), *small, *more])
        assert (found_again.exit_code == 0) is (not more), found_again.output
        assert len(closed) == 1
        closed.clear()


@pytest.mark.parametrize(("rate", "trail"), [("600/s", 4), ("600/s", 30), ("1200/s", 2)])
def test_a_fast_video_shows_what_a_slow_one_does_there(
    recording: Path, rate: str, trail: int
) -> None:
    settings = PICTURE | {"trail_length": trail}
    each = per_frame(rate, 1, Fraction(60), 1, None)
    fast = calf_viz.render(recording, rate=rate, **settings)
    slow = calf_viz.render(recording, **settings)
    np.testing.assert_array_equal(fast, slow[:: int(each)])


def test_few_rows_are_held_between_frames_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(tmp_path / "long.calf", View("walk"))
    for step in range(4001):
        recorder.see(Samples.of(np.full((2, 2), step / 5000), step=step))
    recorder.close()
    held: list[int] = []
    read = Feed.steps

    def counted(self: Feed, wanted: int = 1) -> list[Samples]:
        found = read(self, wanted)
        held.append(len(found))
        return found

    monkeypatch.setattr(Feed, "steps", counted)
    asked = {"fps": 1, "rate": "2000/s", "hud": False, **PICTURE}
    assert len(calf_viz.render(tmp_path / "long.calf", **asked)) == 3
    assert max(held) <= 128 and sum(held) < 2500
    held.clear()
    asked["trail_length"] = 3000
    assert len(calf_viz.render(tmp_path / "long.calf", **asked)) == 3
    assert max(held) <= 128 and sum(held) >= 4000
