"""Recordings of all versions of the format are opened by this one.

tests/recordings/format_N.calf was written when the format was N: eight steps of three agents of
differential_drive, with a pause, then two of four, on two critics. A format that changes leaves
another one here, and this test as it is.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from calf_viz.cli.main import calf_viz
from calf_viz.recording.folder import FORMAT
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.verification.verify import NETWORKS, verify

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

FOLDERS = sorted((Path(__file__).parent / "recordings").glob("format_*.calf"))


def test_each_version_of_the_format_has_left_one() -> None:
    assert [path.name for path in FOLDERS] == [f"format_{n}.calf" for n in range(1, FORMAT + 1)]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.stem)
def test_an_old_recording_is_read(folder: Path) -> None:
    recording = Recording(folder)
    assert len(recording) == 10 and not recording.torn
    assert [samples.step for samples in recording.walk()] == list(range(10))
    assert recording.array("state", 0, 8).shape == (8, 3, 3)
    assert recording.array("x", 8).shape == (2, 4)
    states = recording.array("state", 0, 8)
    np.testing.assert_array_equal(recording.array("x", 0, 8), states[:, :, 0])
    np.testing.assert_array_equal(recording.array("heading", 0, 8), states[:, :, 2])
    assert recording.critic_steps == [0, 5]
    assert recording.critic(1).field.values.shape == (5, 5)
    kinds = [event.kind for event in recording.events()]
    assert kinds == ["agents", "pause", "agents"]
    assert recording.view.title == "differential drive"
    verdict = verify(recording)
    assert verdict.clean and verdict.checked["motion"] > 20
    # Its critics are surfaces alone: the check of q and actions has no networks.
    assert not verdict.complete and verdict.unchecked[NETWORKS] == verdict.checked["motion"]
    assert CliRunner().invoke(calf_viz, ["verify", str(folder)]).exit_code == 1


@pytest.mark.parametrize("folder", FOLDERS[-1:], ids=lambda path: path.stem)
def test_it_is_appended_to(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "a.calf")
    recording = Recording(folder)
    recorder = Recorder(tmp_path / "a.calf", recording.view, append=True)
    for samples in recording.walk():
        recorder.see(samples)  # which is there
    recorder.close()
    assert len(Recording(tmp_path / "a.calf")) == 10
