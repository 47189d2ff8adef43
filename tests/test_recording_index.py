"""What a reader of long recordings needs: few files, little memory, and no look too many."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calf_viz.recording import folder as folder_of_recordings
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.view import View

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

VIEW = View("walk", lo=(-1.0, -2.0), hi=(3.0, 4.0))


def test_who_waits_at_the_end_does_not_list_the_folder_in_each_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a.calf"
    recorder = Recorder(folder, VIEW)
    recorder.see(Samples.of(np.zeros((2, 2)), step=0))
    recorder.close()
    os.utime(folder, (0, 0))  # it was made long ago
    listed, found = [], folder_of_recordings.names_in

    def counted(path: Any) -> list[str]:
        listed.append(path)
        return found(path)

    monkeypatch.setattr(folder_of_recordings, "names_in", counted)
    recording = Recording(folder)
    first = len(listed)
    for _ in range(1000):
        recording.refresh()
    assert len(listed) - first <= 4
    recorder = Recorder(folder, VIEW, append=True)
    recorder.see(Samples.of(np.zeros((2, 2)), step=1))
    recorder.close()
    recording.refresh()
    assert len(recording) == 2, "it sees at once that there is more"
