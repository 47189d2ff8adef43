"""The comparison over seeds: its arithmetic, and a very small one from end to end."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from calf_viz.cli import main as cli
from calf_viz.errors import UserError
from calf_viz.training import benchmark, pool
from calf_viz.training.config import TrainingConfig

TINY = TrainingConfig.from_preset(
    "quick", episodes=3, steps=40, batch=16, select_every=3, selection_episodes=2
)


def test_a_median_and_its_interval() -> None:
    values = np.array([[1.0, 5.0], [2.0, 5.0], [9.0, 5.0]])
    interval = benchmark.median_interval(values)
    assert interval.median.tolist() == [2.0, 5.0]
    assert interval.low.tolist() == [1.0, 5.0] and interval.high.tolist() == [9.0, 5.0]


def test_intervals_of_many_episodes_need_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """And are those of all episodes at once."""
    values = np.random.default_rng(2).normal(size=(7, 11))
    at_once = benchmark.median_interval(values)
    monkeypatch.setattr(benchmark, "MOST_VALUES", 2 * 7 * benchmark.RESAMPLES)
    for one, other in zip(at_once, benchmark.median_interval(values), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for i in range(200):
        interval = benchmark.median_interval(rng.normal(3.0, 1.0, 15), seed=i)
        covered += bool(interval.low <= 3.0 <= interval.high)
    assert covered / 200 > 0.88


@pytest.fixture(scope="module")
def results() -> list[benchmark.Result]:
    return benchmark.run(TINY, [4, 5])


def test_every_policy_plays_as_many_episodes_with_every_seed(
    results: list[benchmark.Result],
) -> None:
    assert [(r.policy, r.seed) for r in results] == [
        (policy, seed) for policy in benchmark.POLICIES for seed in (4, 5)
    ]
    for r in results:
        assert r.cost.shape == r.goal.shape == (3,)
        assert (r.cost > 0).all() and set(r.goal) <= {0.0, 1.0}


def test_strict_calf_and_the_nominal_policy_always_arrive(results: list[benchmark.Result]) -> None:
    for policy in ("CALF", "nominal"):
        assert [r.final.goal for r in benchmark.of_policy(results, policy)] == [1.0, 1.0]
    modes = [r.final.modes for r in results]
    assert all(m[2] > 0 for m in modes[:2]) and all(m[2] == 0 for m in modes[2:4])


def test_an_episode_costs_what_its_rewards_say() -> None:
    """Of the nominal policy, played one start at a time."""
    from calf_viz import systems

    system = systems.get("point_mass")
    cost, goal = benchmark._play_nominal(system, TINY)
    states = system.initial_states(3, np.random.default_rng([benchmark.NOMINAL_STREAM, TINY.seed]))
    for i in range(3):
        state, total, arrived = states[i : i + 1], 0.0, False
        for _ in range(TINY.steps):
            action = system.nominal(state)
            total -= float(system.reward(state, action)[0])
            state = system.step(state, action)
            arrived = bool(system.in_goal(state)[0])
            if arrived or system.out_of_plane(state)[0]:
                break
        assert cost[i] == pytest.approx(total) and goal[i] == arrived


def test_processes_change_nothing(results: list[benchmark.Result]) -> None:
    again = benchmark.run(TINY, [4], jobs=2)
    for a, b in zip(results[::2], again, strict=True):
        # Not by ==, as the mean steps of no arrival are NaN.
        assert (a.policy, a.seed, repr(a.final)) == (b.policy, b.seed, repr(b.final))
        np.testing.assert_array_equal(a.cost, b.cost)


def test_the_command_prints_plots_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = "benchmark --system point_mass --seeds 2 --episodes 2 --steps 30 --batch 8"
    monkeypatch.setattr(sys, "argv", ["calf-viz", *arguments.split(), "--output", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    out = capsys.readouterr().out
    for policy in benchmark.POLICIES:
        assert f"\n{policy} " in out
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "point_mass-quick-episodes.csv",
        "point_mass-quick-final.csv",
        "point_mass-quick.png",
    ]
    with (tmp_path / "point_mass-quick-episodes.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 * 2 * 2
    with (tmp_path / "point_mass-quick-final.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["goal"] for row in rows if row["policy"] == "CALF"] == ["1.0", "1.0"]
    with Image.open(tmp_path / "point_mass-quick.png") as picture:
        assert (np.asarray(picture.convert("L")) < 200).mean() > 0.01


def test_older_files_are_not_replaced_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "point_mass-quick-final.csv"
    old.write_text("a night's work")
    flags = ("system=point_mass", "seeds=1", "episodes=1", "steps=5", "batch=4")
    command = ["calf-viz", "benchmark", *(f"--{f}" for f in flags), f"--output={tmp_path}"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert f"{old} exists: give another --output, or --overwrite" in capsys.readouterr().err
    assert [p.read_text() for p in tmp_path.iterdir()] == ["a night's work"]
    command.append("--overwrite")
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0 and old.read_text().startswith("policy,seed,")


@pytest.mark.parametrize("given", ["file", "input"])
def test_a_script_needs_no_guard(tmp_path: Path, given: str) -> None:
    """Nor does what stands in the current folder run in its processes."""
    changes = "episodes=2, steps=20, batch=8, select_every=2, selection_episodes=2"
    script = tmp_path / "script.py"
    script.write_text(
        "from calf_viz.training import benchmark\n"
        "from calf_viz.training.config import TrainingConfig\n"
        f"config = TrainingConfig.from_preset('quick', {changes})\n"
        "print(len(benchmark.run(config, [1], jobs=2)))\n"
    )
    here = tmp_path / "here"
    here.mkdir()
    (here / "selectors.py" if given == "file" else here / "nothing.py").write_text("1 / 0")
    done = subprocess.run(
        [sys.executable, script if given == "file" else "-"],
        input=None if given == "file" else script.read_text(),
        capture_output=True, text=True, cwd=here, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_an_error_of_the_users_in_a_process_is_the_users_line() -> None:
    tasks = [{"system": "point_mass", "policy": "CALF", "config": {"lr": -1.0}}]
    with pytest.raises(UserError, match=r"lr -1.0 is out of range"):
        list(pool.answers("calf_viz.training.benchmark_worker", tasks, 1))
    with pytest.raises(RuntimeError, match="KeyError: 'policy'"):
        list(pool.answers("calf_viz.training.benchmark_worker", [{"system": "point_mass"}], 1))


def test_a_process_that_ends_by_itself_is_not_said_to_lack_memory() -> None:
    with pytest.raises(UserError, match=r"ended with exit code \d+: see its output above"):
        list(pool.answers("calf_viz.no_such_module", [{}], 1))


@pytest.mark.parametrize(
    ("killed", "number", "code"),
    [
        ("all", signal.SIGINT, 130),  # as a terminal does
        ("parent", signal.SIGTERM, 130),
        ("parent", signal.SIGKILL, -signal.SIGKILL),
        ("worker", signal.SIGKILL, 2),
    ],
)
def test_however_it_ends_no_process_is_left(
    tmp_path: Path, killed: str, number: signal.Signals, code: int
) -> None:
    arguments = f"benchmark --system point_mass --preset thorough --jobs 2 --output {tmp_path}"
    parent = subprocess.Popen(
        [sys.executable, "-m", "calf_viz", *arguments.split()], stderr=subprocess.PIPE, text=True
    )
    try:
        workers: list[psutil.Process] = []
        while len(workers) < 2:
            assert parent.poll() is None
            time.sleep(0.02)
            children = psutil.Process(parent.pid).children()
            workers = [
                p for p in children if "calf_viz.training.benchmark_worker" in " ".join(p.cmdline())
            ]
        time.sleep(0.3)  # all are submitted
        pids = {"all": [parent.pid, *(w.pid for w in workers)], "parent": [parent.pid]}
        for pid in pids.get(killed, [workers[0].pid]):
            os.kill(pid, number)
        _, said = parent.communicate(timeout=60)
        assert parent.returncode == code
        assert "Traceback" not in said
        if killed == "worker":
            assert "calf-viz: a training process was killed" in said and "fewer --jobs" in said
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not [w for w in alive if w.status() != psutil.STATUS_ZOMBIE]
    finally:
        parent.kill()
        parent.wait()


@pytest.mark.parametrize(
    "bad",
    [
        "--no-certificate",
        "--checkpoints 2",
        "--seeds 0",
        "--jobs 0",
        "--jobs 1000000",
        "--seeds 1001",
        "--seeds 1000 --episodes 10001",
        "--preset nonsense",
        "--seed -1",
    ],
)
def test_bad_use_is_one_line(
    bad: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["calf-viz", "benchmark", "--system", "point_mass", *bad.split()]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2 and capsys.readouterr().err.count("\n") == 1
