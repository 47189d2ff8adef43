"""Tables of recordings: what was recorded, a row per step and agent, for the tools people have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from calf_viz import CALFApplication, Samples, UserError, View, VisualizationConfig
from calf_viz.cli.main import calf_viz
from calf_viz.recording import export
from calf_viz.recording.export import export as write
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording

pa: Any = pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
csv: Any = pytest.importorskip("pyarrow.csv")
parquet: Any = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of our own agents, whose number changes."""
    folder = tmp_path_factory.mktemp("export") / "a.calf"
    config = VisualizationConfig(
        n_agents=4, headless=True, hud=False, size=(64, 36), grid=8, trail_length=10, record=folder
    )
    with CALFApplication(config) as app:
        for step in range(30):
            if step == 20:
                app.n_agents = 6
            app.advance()
    return folder


def tidy(recording: Recording, name: str) -> np.ndarray:
    return np.concatenate([
        np.asarray(recording.array(name, row, row + 1)).ravel() for row in range(len(recording))
    ])  # fmt: skip


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_has_what_was_recorded(tmp_path: Path, folder: Path, suffix: str) -> None:
    recording = Recording(folder)
    written = write(recording, tmp_path / f"a{suffix}")
    read = parquet.read_table if suffix == ".parquet" else csv.read_csv
    table = read(tmp_path / f"a{suffix}")
    assert written.rows == len(table) == 20 * 4 + 10 * 6
    assert table.column_names == written.columns
    assert table.column_names[:7] == ["step", "time", "agent", "x", "y", "mode", "first"]
    assert table.column_names[-4:] == ["q", "q_plus", "value", "margin"]
    assert {"state_0", "state_1", "action_0", "reward"} <= set(table.column_names)
    for name in ("x", "y", "mode", "first", "reward", "q", "q_plus"):
        found, recorded = table[name].to_numpy(), tidy(recording, name)
        np.testing.assert_array_equal(found.astype(recorded.dtype), recorded)
    states = tidy(recording, "state").reshape(-1, 2)
    np.testing.assert_array_equal(table["state_1"].to_numpy().astype(np.float32), states[:, 1])
    steps, agents = table["step"].to_numpy(), table["agent"].to_numpy()
    np.testing.assert_array_equal(steps[:8], [0, 0, 0, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(agents[-6:], range(6))


def test_floats_of_parquet_are_streams_of_their_bytes(tmp_path: Path, folder: Path) -> None:
    write(Recording(folder), tmp_path / "a.parquet")
    group = parquet.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    found = {column.path_in_schema: column.encodings for column in columns}
    assert "BYTE_STREAM_SPLIT" in found["x"] and "BYTE_STREAM_SPLIT" in found["q"]
    assert "BYTE_STREAM_SPLIT" not in found["mode"]


def test_rows_are_grouped_and_never_all_in_memory(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "GROUP", 16)
    write(Recording(folder), tmp_path / "a.parquet")
    metadata = parquet.ParquetFile(tmp_path / "a.parquet").metadata
    sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert sum(sizes) == 140 and max(sizes) < 2 * 16
    monkeypatch.undo()
    write(Recording(folder), tmp_path / "b.parquet")
    one, other = (parquet.read_table(tmp_path / name) for name in ("a.parquet", "b.parquet"))
    assert one.to_pydict().keys() == other.to_pydict().keys()
    for name in one.column_names:
        np.testing.assert_array_equal(one[name].to_numpy(), other[name].to_numpy())


def test_columns_that_some_steps_lack_are_null_there(tmp_path: Path) -> None:
    view = View("walk")
    recorder = Recorder(tmp_path / "a.calf", view)
    for step in range(4):
        columns = {"margin": np.full(2, 0.5, np.float32)} if step > 1 else {}
        recorder.see(Samples.of(np.zeros((2, 2), np.float32), step=step, **columns))
    recorder.close()
    write(Recording(tmp_path / "a.calf"), tmp_path / "a.parquet")
    margins = parquet.read_table(tmp_path / "a.parquet")["margin"].to_pylist()
    assert margins == [None] * 4 + [0.5] * 4


def test_critics_and_events_are_tables_too(tmp_path: Path, folder: Path) -> None:
    recording = Recording(folder)
    write(recording, tmp_path / "c.parquet", "critics")
    table = parquet.read_table(tmp_path / "c.parquet")
    field = recording.critic(0).field
    assert len(table) == field.values.size * recording.critics
    np.testing.assert_array_equal(table["value"].to_numpy(), field.values.ravel())
    np.testing.assert_allclose(
        field.heights(np.column_stack([table["x"], table["y"]])), field.values.ravel(), rtol=1e-6
    )
    write(recording, tmp_path / "e.csv", "events")
    events = csv.read_csv(tmp_path / "e.csv")
    assert events["kind"].to_pylist() == [event.kind for event in recording.events()]
    with pytest.raises(UserError, match="choose one of agents, critics, events"):
        write(recording, tmp_path / "x.csv", "agent")


def run(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(calf_viz, ["export", *map(str, arguments)])
    return found.exit_code, found.output + str(found.exception or "")


def test_on_the_command_line(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "a.parquet"
    code, said = run(folder, "--parquet", path, "--from", 5, "--to", 6)
    assert code == 0 and "8 rows of step, time, agent, x, y" in said
    assert set(parquet.read_table(path)["step"].to_pylist()) == {5, 6}
    assert run(folder, "--csv", tmp_path / "e.csv", "--table", "events")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --parquet FILE or --csv FILE"),
        (("--csv", "a.csv", "--parquet", "a.parquet"), "one of them"),
        (("--csv", "a.parquet"), "ends in .csv"),
        (("--csv", "there.csv"), "is there already"),
        (("--csv", "a.csv", "--from", "30"), "the recording has steps 0 to 29"),
        (("--csv", "a.csv", "--from", "9", "--to", "3"), "--to 3 is before"),
        (("--csv", "a.csv", "--from", "9", "--table", "events"), "leave them out for events"),
    ],
)
def test_what_cannot_be_exported_is_said(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.csv").write_text("mine")
    _, found = run(folder, *arguments)
    assert said in found.replace("`from`", "--from")
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]


def test_other_folders_are_refused(tmp_path: Path) -> None:
    _, said = run(tmp_path / "none.calf", "--csv", tmp_path / "a.csv")
    assert "no such recording" in said
