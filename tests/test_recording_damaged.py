"""What is no recording, or is no longer one, is refused in one line with exit code 2."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calf_viz import recording as recordings
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.run_command import run_command
from calf_viz.verification.verify import verify

pa = pytest.importorskip("pyarrow", reason="the extra `record` is not installed")

GOOD = Path(__file__).parent / "recordings" / "format_1.calf"
AGENTS, CRITIC, EVENTS = "agents-000000.arrows", "critic-000000.arrows", "events.arrows"
Change = Callable[[Path], Any]


def put(name: str, data: Callable[[bytes], bytes]) -> Change:
    """Other contents of a file, made of what it has."""
    return lambda folder: (folder / name).write_bytes(data((folder / name).read_bytes()))


def foreign(data: bytes) -> bytes:
    """A stream of Arrow's that has nothing to do with this."""
    sink, table = pa.BufferOutputStream(), pa.table({"price": [1.0, 2.0]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def newer(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "format": 99}).encode()


def swap(one: str, other: str) -> Change:
    def change(folder: Path) -> None:
        (folder / one).rename(folder / "moved")
        (folder / other).rename(folder / one)
        (folder / "moved").rename(folder / other)

    return change


def every(value: object) -> Change:
    """Another number of steps from a row to the next."""
    return put("meta.json", lambda data: json.dumps({**json.loads(data), "every": value}).encode())


RANDOM = np.random.default_rng(0).bytes(3000)
CASES: dict[str, Change] = {
    "no folder": shutil.rmtree,
    "an empty folder": lambda folder: [path.unlink() for path in folder.iterdir()],
    "no meta.json": lambda folder: (folder / "meta.json").unlink(),
    "an empty meta.json": put("meta.json", lambda data: b""),
    "half a meta.json": put("meta.json", lambda data: data[: len(data) // 2]),
    "a newer version": put("meta.json", newer),
    "another JSON": put("meta.json", lambda data: b"[1, 2]"),
    **{
        f"every {value}": every(value)
        for value in (None, 0, -2, "2", [2], 1.5, True, float("nan"), 10**30)
    },
    "a file in its place": lambda folder: (shutil.rmtree(folder), folder.write_bytes(RANDOM)),
    "no rows": lambda folder: [path.unlink() for path in folder.glob("agents-*")],
    "a first segment that was cut": put(AGENTS, lambda data: data[:-200]),
    "an empty first segment": put(AGENTS, lambda data: b""),
    "no first segment": lambda folder: (folder / AGENTS).unlink(),
    "swapped segments": swap(AGENTS, "agents-000001.arrows"),
    "critics for agents": lambda folder: shutil.copy(folder / CRITIC, folder / AGENTS),
    "agents for critics": lambda folder: shutil.copy(folder / AGENTS, folder / CRITIC),
    "agents for events": lambda folder: shutil.copy(folder / AGENTS, folder / EVENTS),
    **{
        f"{what} {name}": put(name, data)
        for name in (AGENTS, CRITIC, EVENTS)
        for what, data in (("random", lambda data: RANDOM), ("foreign", foreign))
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(GOOD, tmp_path / "a.calf")
    return tmp_path / "a.calf"


@pytest.mark.parametrize("command", ["replay", "verify"])
@pytest.mark.parametrize("case", CASES)
def test_a_bad_recording_is_one_line_and_exit_code_2(
    folder: Path, case: str, command: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    CASES[case](folder)
    monkeypatch.setattr(sys, "argv", ["calf-viz", command, str(folder)])
    with pytest.raises(SystemExit) as end:
        run_command(calf_viz, "calf-viz", "calf-viz: ")
    said = capsys.readouterr().err
    assert end.value.code == 2, said
    assert said.startswith("calf-viz: ") and said.count("\n") == 1 and len(said) < 1000


@pytest.mark.parametrize("case", [case for case in CASES if case != "no rows"])
def test_from_python_as_well(folder: Path, case: str) -> None:
    CASES[case](folder)
    with pytest.raises(UserError) as caught:
        recordings.open(folder)
    assert "\n" not in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["meta.json", AGENTS, "agents-000001.arrows", CRITIC, EVENTS]),
    at=st.integers(0, 5000), length=st.integers(0, 64), put_in=st.binary(max_size=64),
)  # fmt: skip
def test_random_bytes_anywhere_are_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, name: str, at: int, length: int, put_in: bytes
) -> None:
    folder = tmp_path_factory.mktemp("some") / "a.calf"
    shutil.copytree(GOOD, folder)
    data = (folder / name).read_bytes()
    at = min(at, len(data))
    (folder / name).write_bytes(data[:at] + put_in + data[at + length :])
    try:
        recording = recordings.open(folder)
        for samples in recording.walk():
            assert samples.positions.shape[1] == 2
        for number in range(recording.critics):
            recording.critic(number)
        recording.events()
        verify(recording)
    except UserError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000
