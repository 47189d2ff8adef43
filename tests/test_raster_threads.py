"""llvmpipe's threads get a core each; nobody else's do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from calf_viz.hosts import raster_threads


def tasks(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        (folder / str(100 + number)).mkdir()
        (folder / str(100 + number) / "comm").write_text(name + "\n")
    return folder


@pytest.mark.parametrize(
    ("cores", "names", "expected"),
    [
        ({0, 1}, ["python", "llvmpipe-0", "llvmpipe-1"], {101: {0}, 102: {1}}),
        ({3, 5}, ["llvmpipe-1", "llvmpipe-0"], {100: {5}, 101: {3}}),
        ({0}, ["python", "llvmpipe-0"], {101: {0}}),
        ({0, 1}, ["python", "python:disk$0"], {}),
        ({0, 1, 2}, ["llvmpipe-0", "llvmpipe-1"], {}),  # LP_NUM_THREADS was set
        ({0, 1}, ["llvmpipe-0", "llvmpipe-1", "llvmpipe-0", "llvmpipe-1"], {}),  # two contexts
        (set(range(8)), [f"llvmpipe-{i}" for i in range(8)], {}),
    ],
)
def test_who_gets_which_core(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cores: set[int],
    names: list[str],
    expected: dict[int, set[int]],
) -> None:
    given: dict[int, set[int]] = {}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", given.__setitem__, raising=False)
    folder = tasks(tmp_path, names)
    raster_threads.spread(folder)
    assert given == expected
    raster_threads.release(folder)
    assert given == dict.fromkeys(expected, cores)


def test_where_it_cannot_be_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    raster_threads.spread(tasks(tmp_path, ["llvmpipe-0"]))
    raster_threads.spread(tmp_path / "no such folder")
    monkeypatch.delattr(os, "sched_getaffinity")
    raster_threads.spread(tmp_path)


OPENED = """
import json, os
from pathlib import Path
from calf_viz import CALFApplication, VisualizationConfig
app = CALFApplication(VisualizationConfig(n_agents=1, size=(160, 90), headless=True))
app.step()
names = {int(t.name): (t / "comm").read_text() for t in Path("/proc/self/task").iterdir()}
threads = [thread for thread in sorted(names) if names[thread].startswith("llvmpipe-")]
def cores():
    return [sorted(os.sched_getaffinity(thread)) for thread in threads]
two = CALFApplication(VisualizationConfig(n_agents=1, size=(160, 90), headless=True))
app.close()
found, software = cores(), app.host.software
two.close()
print(json.dumps([software, found, cores()]))
"""


@pytest.mark.rendering
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot be asked")
def test_an_applications_threads_have_a_core_each_until_it_is_closed() -> None:
    cores = sorted(os.sched_getaffinity(0))
    if not 2 <= len(cores) <= raster_threads.MOST_CORES or "LP_NUM_THREADS" in os.environ:
        pytest.skip(f"threads are not spread over {len(cores)} cores")
    ran = subprocess.run(
        [sys.executable, "-c", OPENED], capture_output=True, text=True, timeout=120, check=True
    )
    software, found, afterwards = json.loads(ran.stdout)
    if not software:
        pytest.skip("a GPU draws here")
    assert sorted(found) == [[core] for core in cores], "one of two is still there"
    assert afterwards == [cores] * len(found), "as they were"
