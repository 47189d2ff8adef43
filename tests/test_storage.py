"""Recordings at addresses: the same as in a folder, and nobody's password is shown."""

from __future__ import annotations

import json
import re
import urllib.parse
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applications import record
from click.testing import CliRunner
from waiting import until

import calf_viz.recording
from calf_viz import Samples, UserError, View, VisualizationConfig
from calf_viz.cli.main import calf_viz as command
from calf_viz.errors import FileDamaged, FileTrouble
from calf_viz.recording import copying, storage
from calf_viz.recording.recorder import Recorder
from calf_viz.recording.recording import Recording
from calf_viz.settings import is_address
from calf_viz.viewer.description import plain

pytest.importorskip("pyarrow", reason="the extra `record` is not installed")
fsspec: Any = pytest.importorskip("fsspec", reason="the extra `cloud` is not installed")

STEPS = 30


def recorded(folder: str | Path) -> None:
    record(folder, STEPS, n_agents=3, size=(64, 36), grid=8, trail_length=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("storage") / "a.calf"
    recorded(folder)
    return folder


@pytest.fixture(params=["memory", "zip", "file"])
def address(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Iterator[str]:
    """The recording at an address."""
    if request.param == "memory":
        system = fsspec.filesystem("memory")
        system.put(str(folder), "/bucket/a.calf", recursive=True)
        yield "memory://bucket/a.calf"
        system.rm("/bucket", recursive=True)
    elif request.param == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
            for file in folder.iterdir():
                made.write(file, f"a.calf/{file.name}")
        yield f"zip://a.calf::{tmp_path / 'a.zip'}"
    else:
        yield f"file://{folder}"


def test_a_recording_at_an_address_is_that_of_its_folder(address: str, folder: Path) -> None:
    found, local = calf_viz.recording.open(address), Recording(folder)
    assert len(found) == STEPS and found.view == local.view and not found.torn
    for name in ("x", "y", "mode", "state", "q"):
        np.testing.assert_array_equal(found.array(name), local.array(name))
    np.testing.assert_array_equal(found.critic(0).weights, local.critic(0).weights)
    assert str(found.events()) == str(local.events())
    assert str(found.folder) == address
    found.close()


def run(*arguments: object) -> tuple[int, str]:
    found = CliRunner().invoke(command, list(map(str, arguments)))
    return found.exit_code, found.output + str(found.exception or "")


def test_commands_take_addresses(address: str, tmp_path: Path) -> None:
    code, said = run("verify", address)
    assert code == 0 and "nothing is wrong" in said
    code, said = run("export", address, "--csv", tmp_path / "a.csv")
    assert code == 0 and (tmp_path / "a.csv").stat().st_size > 1000
    small = ("--size", "64x64", "--no-hud")
    code, said = run("replay", address, "--frames", "2", "--output", tmp_path / "a.png", *small)
    assert code == 0 and (tmp_path / "a.png").exists()
    code, said = run("render", address, "--from", "5", "--output", tmp_path / "b.png", *small)
    assert code == 0 and (tmp_path / "b.png").exists(), said


def test_only_what_is_asked_for_is_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.calf", View("walk"))
    rng = np.random.default_rng(0)
    for step in range(400):
        recorder.see(Samples.of(rng.normal(size=(2000, 2)), step=step))
        if step % 50 == 0:
            recorder.flush()
    recorder.close()
    system = fsspec.filesystem("memory")
    system.put(str(tmp_path / "a.calf"), "/large.calf", recursive=True)
    whole, fetched = system.du("/large.calf"), []
    fetch = storage._Object._fetch

    def counted(self: storage._Object, start: int, end: int) -> bytes:
        fetched.append(end - start)
        return fetch(self, start, end)

    monkeypatch.setattr(storage._Object, "_fetch", counted)
    recording = Recording("memory://large.calf")
    assert recording.samples(200).step == 200
    assert whole > 12_000_000 and sum(fetched) < 0.5 * whole
    system.rm("/large.calf", recursive=True)


def test_what_was_added_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that is still uploaded, stream by stream, and one of them in two pieces."""
    monkeypatch.setattr("calf_viz.recording.lookout.REMOTE_EVERY", 0.0)
    system = fsspec.filesystem("memory")
    data = (folder / "agents-000000.arrows").read_bytes()
    for name in ("meta.json", "critic-000000.arrows"):
        system.pipe_file(f"/grows.calf/{name}", (folder / name).read_bytes())
    recording = Recording("memory://grows.calf")
    assert len(recording) == 0
    system.pipe_file("/grows.calf/agents-000000.arrows", data[:-20])
    assert recording.refresh() < STEPS and recording.torn
    system.pipe_file("/grows.calf/agents-000000.arrows", data)
    recording.refresh()
    assert len(recording) == STEPS and not recording.torn
    system.rm("/grows.calf", recursive=True)


def test_an_address_is_looked_at_the_more_seldom_the_longer_nothing_is_new(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, now, looks = fsspec.filesystem("memory"), [0.0], []
    system.put(str(folder), "/ended.calf", recursive=True)
    monkeypatch.setattr("calf_viz.recording.lookout.time.monotonic", lambda: now[0])
    recording = Recording("memory://ended.calf")
    ls = type(system).ls

    def counted(self: object, *arguments: Any, **options: Any) -> Any:
        looks.append(now[0])
        return ls(self, *arguments, **options)

    monkeypatch.setattr(type(system), "ls", counted)
    for second in range(3600):
        now[0] = float(second)
        recording.refresh()
    assert looks and min(looks) <= 10.0
    assert len(set(looks)) < 20
    system.rm("/ended.calf", recursive=True)


def test_damage_is_said_at_its_address(folder: Path) -> None:
    system = fsspec.filesystem("memory")
    system.put(str(folder), "/bad.calf", recursive=True)
    system.pipe_file("/bad.calf/agents-000000.arrows", b"nothing of Arrow's, but long enough")
    with pytest.raises(FileDamaged, match=r"memory://bad\.calf/agents-000000\.arrows"):
        Recording("memory://bad.calf")
    system.rm("/bad.calf", recursive=True)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://none.calf", "memory://none.calf/meta.json: no such recording"),
        ("nowhere://bucket/a.calf", "no address (Protocol not known: nowhere)"),
        ("zip://a.calf::/none/there.zip", "no address"),
    ],
)
def test_an_address_that_is_not_there_is_said(address: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        Recording(address)
    assert said in str(caught.value) and "\n" not in str(caught.value)
    code, _ = run("replay", address)
    assert code == 1  # the exception, which `run_command` makes 2 of
    assert caught.value.exit_code == 2


SECRET = [
    ("sftp://me:hunter2@host/a.calf", "sftp://…@host/a.calf"),
    ("ftp://me:hun/ter2@host/a.calf", "ftp://…@host/a.calf"),
    ("ftp://me:hunter2@x@host/a.calf", "ftp://…@host/a.calf"),
    ("ftp://me:hun::ter2@host/a.calf", "ftp://…@host/a.calf"),
    ("ftp://me:hun?ter2@host/a.calf", "ftp://…"),
    ("ftp://me:hun%40ter2@host/a.calf", "ftp://…@host/a.calf"),
    ("s3://key:hun+ter2/x@bucket/a.calf", "s3://…@bucket/a.calf"),
    ("https://host/a.calf?token=hunter2&x=1", "https://host/a.calf?…"),
    ("https://host/a.calf?sig=hun:ter2", "https://host/a.calf?…"),
    ("https://host/a.calf?sig=hun::ter2", "https://host/a.calf?…"),
    ("https://host/a.calf?to=me@host&sig=hunter2", "https://…"),
    ("zip://a.calf::https://me:hunter2@host/a.zip", "zip://a.calf::https://…@host/a.zip"),
    ("zip://a.calf::https://host/a?sig=hunter2", "zip://a.calf::https://host/a?…"),
    ("zip://b?x=hunter2::s3://me:hunter2@host/a", "zip://b?…::s3://…@host/a"),
]


@pytest.mark.parametrize(("text", "said"), SECRET)
def test_passwords_are_never_shown(text: str, said: str) -> None:
    address = storage.locate("memory://bucket/a.calf")
    assert isinstance(address, storage.Address)
    found = storage.Address(address.system, "a.calf", text)
    assert str(found) == said and "ter2" not in str(found / "meta.json")
    meant = urllib.parse.unquote(text)
    user = meant.rpartition("@")[0].rpartition("//")[2].partition(":")[2]
    for told in (f"cannot reach {text} now", f"({meant})", f"'{user}' is no password", f"{text}/b"):
        assert "ter2" not in found.reason(OSError(told))
    with pytest.raises(UserError) as caught:
        storage.locate(re.sub("(s?ftp|s3|https)://", "nowhere://", text))
    assert "ter2" not in str(caught.value)
    assert not isinstance(caught.value, FileTrouble) or "ter2" not in str(caught.value.path)


@pytest.mark.parametrize(("text", "said"), SECRET)
def test_a_profile_and_a_recording_name_no_password(text: str, said: str) -> None:
    told = plain(VisualizationConfig(record=text))
    assert told["record"] == said and "ter2" not in json.dumps(told)


def test_paths_stay_paths() -> None:
    for text in (
        "a.calf",
        "/a/b.calf",
        "./s3/a.calf",
        "C:\\a.calf",
        "a:b.calf",
        "a::",
        "a::b.calf",
    ):
        assert not is_address(text)
    for text in ("s3://a/b.calf", "memory://a", "zip://a::s3://b/c.zip", "simplecache::s3://b/c"):
        assert is_address(text)


def test_marks_at_an_address_are_kept_there(folder: Path) -> None:
    from calf_viz.recording.marks import Marks

    system = fsspec.filesystem("memory")
    system.put(str(folder), "/marks.calf", recursive=True)
    place = storage.locate("memory://marks.calf")
    assert Marks(place).toggle(7)
    assert Marks(place).steps == [7]
    system.rm("/marks.calf", recursive=True)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """One of S3's, in a server that pretends to be it."""
    pytest.importorskip("s3fs", reason="the extra `cloud` is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    pretended = server(ip_address="127.0.0.1", port=0, verbose=False)
    pretended.start()
    host, port = pretended.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    system = fsspec.filesystem("s3", skip_instance_cache=True)
    system.mkdir("runs")
    yield "s3://runs"
    pretended.stop()


def test_a_recording_in_an_object_store(bucket: str, folder: Path, tmp_path: Path) -> None:
    fsspec.filesystem("s3").put(str(folder), "runs/a.calf", recursive=True)
    found, local = Recording(f"{bucket}/a.calf"), Recording(folder)
    np.testing.assert_array_equal(found.array("x"), local.array("x"))
    code, said = run("export", f"{bucket}/a.calf", "--csv", tmp_path / "a.csv")
    assert code == 0, said
    with pytest.raises(FileTrouble, match=r"s3://runs/none\.calf/meta\.json: no such recording"):
        Recording(f"{bucket}/none.calf")
    with pytest.raises(FileTrouble, match=r"s3://nowhere/a\.calf") as caught:
        Recording("s3://nowhere/a.calf")
    assert "hunter2" not in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_recorded_to_an_address_is_there_and_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO")
    recorded("memory://runs/b.calf")
    assert "sealed streams are copied to memory://runs/b.calf" in caplog.text
    there, here = Recording("memory://runs/b.calf"), Recording("b.calf")
    assert len(there) == len(here) == STEPS and not there.torn
    np.testing.assert_array_equal(there.array("x"), here.array("x"))
    assert str(there.events()) == str(here.events())
    with pytest.raises(UserError, match=r"`record` memory://runs/b\.calf is there already"):
        recorded("memory://runs/b.calf")
    fsspec.filesystem("memory").rm("/runs", recursive=True)
    with pytest.raises(UserError, match=r"`record` b\.calf is there already"):
        recorded("memory://runs/b.calf")
    with pytest.raises(UserError, match="Protocol not known: nowhere"):
        recorded("nowhere://runs/c.calf")


def test_streams_are_copied_as_they_are_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "LOOK_EVERY", 0.01)
    recorder = Recorder(tmp_path / "a.calf", View("walk"))
    address = storage.locate("memory://sealed.calf")
    assert isinstance(address, storage.Address)
    copies = copying.Copies(tmp_path / "a.calf", address)
    for step in range(20):
        recorder.see(Samples.of(np.full((1 + step // 10, 2), 0.1), step=step))  # two streams
    recorder.flush()
    until(lambda: storage.exists(address / "agents-000000.arrows"))
    assert not storage.exists(address / "agents-000001.arrows")
    assert len(Recording("memory://sealed.calf")) == 10
    recorder.close()
    copies.close()
    assert len(Recording("memory://sealed.calf")) == 20
    address.system.rm("/sealed.calf", recursive=True)


def test_a_copy_that_fails_loses_nothing_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no access to https://me:hunter2@host/x")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "put_file", refuse)
    recorded("memory://refused/d.calf")
    assert "not all was copied: cannot copy d.calf" in caplog.text and "hunter2" not in caplog.text
    assert "all of it is in d.calf" in caplog.text
    assert len(Recording("d.calf")) == STEPS
