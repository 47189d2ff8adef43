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
from applications import SMALL
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from calf_viz import recording as recordings
from calf_viz.cli.main import calf_viz
from calf_viz.errors import UserError
from calf_viz.returns.meaning import read as read_meaning
from calf_viz.run_command import run_command
from calf_viz.sources.replay import Replay
from calf_viz.verification.verify import verify
from calf_viz.viewer.app import CALFApplication
from calf_viz.viewer.config import VisualizationConfig

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


Columns = dict[str, Any]


def rewritten(folder: Path, name: str, change: Callable[[Columns, Any], None]) -> None:
    """Other columns in a stream; change: of the arrays of a batch, and its metadata."""
    batches = []
    with pa.ipc.open_stream((folder / name).read_bytes()) as reader:
        about = json.loads((reader.schema.metadata or {}).get(b"calf_viz", b"{}"))
        for number in range(10**6):
            try:
                batch, custom = reader.read_next_batch_with_custom_metadata()
            except StopIteration:
                break
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            known = json.loads(json.dumps(about))
            change(columns, known)
            batches.append((columns, custom))
            assert number < 100
    schema = pa.RecordBatch.from_pydict(batches[0][0]).schema
    schema = schema.with_metadata({b"calf_viz": json.dumps(known).encode()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for columns, custom in batches:
            writer.write_batch(pa.RecordBatch.from_pydict(columns, schema), custom)
    (folder / name).write_bytes(sink.getvalue().to_pybytes())


def per_agent(values: np.ndarray, size: int) -> Any:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), size)


def wide(name: str, width: int = 2) -> Callable[[Columns, Any], None]:
    """Several numbers of each agent."""

    def change(columns: Columns, about: Any) -> None:
        rows, agents = len(columns["x"]), about["agents"]
        columns[name] = per_agent(np.ones((rows, agents * width)), agents * width)
        about["widths"][name] = width

    return change


def single(name: str) -> Callable[[Columns, Any], None]:
    """One number of each agent, without an axis."""

    def change(columns: Columns, about: Any) -> None:
        rows, agents = len(columns["x"]), about["agents"]
        columns[name] = per_agent(np.ones((rows, agents), np.float32), agents)
        about["widths"].pop(name, None)

    return change


def as_(name: str, value: Callable[[Any], Any]) -> Callable[[Columns, Any], None]:
    def change(columns: Columns, about: Any) -> None:
        columns[name] = value(columns[name])

    return change


def half_null(column: Any) -> Any:
    values = column.to_pylist()
    return pa.array([None if at % 2 else value for at, value in enumerate(values)], column.type)


def null_within(column: Any) -> Any:
    values = [[None, *row[1:]] for row in column.to_pylist()]
    return pa.array(values, pa.list_(column.type.value_type, column.type.list_size))


def texts(column: Any) -> Any:
    return pa.array([str(value) for value in column.to_pylist()])


def plain(column: Any) -> Any:
    return pa.array([row[0] for row in column.to_pylist()])


def ragged(column: Any) -> Any:
    return pa.array([row[: at % 3] for at, row in enumerate(column.to_pylist())])


def named_again(columns: Columns, about: Any) -> None:
    about["widths"] = {"x": 0}


DAMAGED = {
    **{f"{name} is wide": wide(name) for name in ("q", "q_plus", "reward", "ended", "x", "first")},
    **{f"{name} is {how.__name__}": as_(name, how)
       for name in ("step", "time") for how in (texts, half_null)},
    **{f"{name} is {how.__name__}": as_(name, how)
       for name in ("x", "mode", "state", "q")
       for how in (texts, plain, ragged, half_null, null_within)},
    "step is double": as_("step", lambda column: column.cast(pa.float64())),
    "time is whole": as_("time", lambda column: pa.array(range(len(column)))),
    "widths of 0": named_again,
    "other agents": lambda columns, about: about.update(agents=about["agents"] + 1),
}  # fmt: skip
COMMANDS = (
    ["verify"],
    ["returns"],
    ["export", "--csv", "a.csv"],
    ["replay", "--from", "3", "--frames", "1", "--output", "a.png", "--size", "64x64"],
)


@pytest.mark.parametrize("case", DAMAGED)
def test_columns_of_other_types_are_refused_in_one_line(
    folder: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten(folder, AGENTS, DAMAGED[case])
    monkeypatch.chdir(folder.parent)
    for command, *options in COMMANDS:
        found = CliRunner().invoke(calf_viz, [command, str(folder), *options])
        assert isinstance(found.exception, UserError), (command, found.exception, found.output)
        assert "\n" not in str(found.exception)
    with pytest.raises(UserError):
        recordings.open(folder).explain(3, 0)


@pytest.mark.parametrize("case", ["state", "action"])
@pytest.mark.parametrize("change", [single, wide], ids=["single", "wide"])
def test_states_and_actions_of_another_system_are_refused(
    folder: Path, case: str, change: Callable[..., Any]
) -> None:
    rewritten(folder, AGENTS, change(case, 5) if change is wide else change(case))
    recording = recordings.open(folder)
    calls = {"verify": lambda: verify(recording), "explain": lambda: recording.explain(3, 0),
             "returns": lambda: read_meaning(recording)}  # fmt: skip
    for call in calls.values():
        with pytest.raises(UserError, match=case) as caught:
            call()
        assert "\n" not in str(caught.value)
    with CALFApplication(VisualizationConfig(**SMALL), source=Replay(recording)) as app:
        for _ in range(8):
            app.step()


@pytest.mark.parametrize("column", ["step", "kind", "agent", "number", "text"])
def test_events_without_something_are_refused(folder: Path, column: str) -> None:
    rewritten(folder, EVENTS, as_(column, half_null))
    with pytest.raises(UserError, match="nulls"):
        recordings.open(folder).events()


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
