"""What watching costs the training, and training the frames; and the trainer against plain TD3.

    python tools/bench_training.py watching [--unrestricted] [--rounds 6] [--seconds 5]
    python tools/bench_training.py trainer [--rounds 6] [--steps 1500]

`watching` alternates blocks in which both run, only the viewer draws, or only the trainer trains.
The viewer has one rasteriser thread (LP_NUM_THREADS=1) and at most 30 frames a second, the trainer
one torch thread; --unrestricted lifts the viewer's limits. CPU times are reported beside wall
times, which other work on the machine lengthens; and the time from publishing a snapshot to the end
of the first frame that shows it. `trainer` alternates this project's training steps with those of a
TD3 loop in the style of CleanRL, with networks of the same sizes, on the same system and machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if "--unrestricted" not in sys.argv:
    os.environ["LP_NUM_THREADS"] = "1"  # read by llvmpipe when the first context is made

import click
import numpy as np
import torch
from calf_attach.layout import Word
from rich.table import Table
from torch import nn

from calf_viz import AppConfig, CALFApplication, systems
from calf_viz.agent.threads import one_thread
from calf_viz.console import tables
from calf_viz.run_command import run_command
from calf_viz.sources.training import Training
from calf_viz.training.config import TrainingConfig
from calf_viz.training.trainer import Trainer

CAP = 30.0
"""Frames a second of the restricted viewer."""
WARM_UP = 3.0


class Block:
    """Times and counts in some seconds of drawing and training."""

    def __init__(self, app: CALFApplication) -> None:
        self.app, self.live, self._version = app, training(app), -1
        self.frames: list[float] = []
        self.frame_cpu: list[float] = []
        self.late: list[float] = []
        """Delays from publishing a snapshot until the first frame that shows it was drawn."""
        self.speeds: list[float] = []
        self.step_cpu: list[float] = []

    def draw(self, seconds: float, capped: bool) -> None:
        """Draw frames, with simulation and reading the board; sleeping is not counted."""
        end = time.perf_counter() + seconds
        self._version = -1  # a snapshot published between two blocks had to wait
        while (start := time.perf_counter()) < end:
            cpu = time.process_time()
            self.app.step()  # without a window each frame is waited for
            self.frames.append(time.perf_counter() - start)
            self._look()
            self.frame_cpu.append(time.process_time() - cpu)
            if capped:
                time.sleep(max(0.0, 1.0 / CAP - self.frames[-1]))

    def _look(self) -> None:
        board, version = self.live.process.board, self.live.version
        newest = version == board[Word.SURFACE]  # else the time is that of the next
        if newest and version != self._version >= 0:
            self.late.append(1e-9 * (time.perf_counter_ns() - board[Word.PUBLISHED]))
        self._version = version

    def train(self, meanwhile: Callable[[], None]) -> None:
        """Count training steps while `meanwhile` runs."""
        process = self.live.process
        steps, cpu, start = process.board[Word.STEP], cpu_of(process.process.pid), time.time()
        meanwhile()
        steps = max(process.board[Word.STEP] - steps, 1)
        self.speeds.append(steps / (time.time() - start))
        self.step_cpu.append((cpu_of(process.process.pid) - cpu) / steps)


def training(app: CALFApplication) -> Training:
    assert app.live is not None
    return app.live


def cpu_of(pid: int) -> float:
    """CPU time of another process [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@click.group(help=(__doc__ or "").splitlines()[0])
def main() -> None:
    pass


@main.command()
@click.option("--system", default="point_mass", show_default=True)
@click.option("--rounds", default=6, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="Of each block.")
@click.option("--unrestricted", is_flag=True, help="All rasteriser threads, no cap.")
@click.option("--n-agents", default=20, show_default=True)
def watching(system: str, rounds: int, seconds: float, unrestricted: bool, n_agents: int) -> None:
    """Frames with and without training, training with and without frames, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        config = AppConfig.from_preset(
            "medium", system=system, n_agents=n_agents, headless=True, runs=Path(folder),
            episodes=100_000, select_every=100_000, checkpoint_every=100_000,
        )  # fmt: skip
        app = CALFApplication(config)
        try:
            app.start_training()
            _watching(app, rounds, seconds, capped=not unrestricted)
        finally:
            app.close()


def _watching(app: CALFApplication, rounds: int, seconds: float, capped: bool) -> None:
    live = training(app)
    Block(app).draw(WARM_UP, capped)
    both, alone = Block(app), Block(app)
    first = live.version
    for _ in range(rounds):
        both.train(lambda: both.draw(seconds, capped))
        alone.train(lambda: time.sleep(seconds))
        live.process.pause(True)
        time.sleep(0.3)
        _without_training(app, lambda: alone.draw(seconds, capped))
        live.process.pause(False)
        time.sleep(0.1)
    late = 1e3 * np.array(both.late)
    table = Table(title=f"{app.config.n_agents} agents, {app.host.renderer}")
    for head in ("", "with the other", "without", "ratio"):
        table.add_column(head, justify="left" if not head else "right")

    def add(name: str, one: float, other: float, unit: str, digits: int = 1) -> None:
        table.add_row(
            name, f"{one:.{digits}f} {unit}", f"{other:.{digits}f} {unit}", f"{one / other:.2f}"
        )

    for name, part in (("median", 50), ("95 %", 95), ("longest", 100)):
        one, other = (1e3 * float(np.percentile(b.frames, part)) for b in (both, alone))
        add(f"frame, {name}", one, other, "ms")
    one, other = (1e3 * float(np.median(b.frame_cpu)) for b in (both, alone))
    add("frame, CPU", one, other, "ms")
    one, other = (float(np.median(b.speeds)) for b in (both, alone))
    add("training", one, other, "steps/s", 0)
    one, other = (1e3 * float(np.median(b.step_cpu)) for b in (both, alone))
    add("step, CPU", one, other, "ms", 2)
    table.caption = (
        f"{len(both.frames)} and {len(alone.frames)} frames, {live.version - first} snapshots "
        f"shown; longest frame with training: {max(both.frames) / np.median(both.frames):.1f} "
        f"medians. Snapshot to screen: median {np.median(late):.1f} ms, 95 % "
        f"{np.percentile(late, 95):.1f} ms, longest {max(late):.1f} ms"
    )
    tables(100).print(table)


def _without_training(app: CALFApplication, draw: Callable[[], None]) -> None:
    """Frames in which the agents move and the trainer waits."""
    live = training(app)
    pause = live.pause
    live.pause = lambda paused: pause(True)  # type: ignore[method-assign]
    try:
        draw()
    finally:
        live.pause = pause  # type: ignore[method-assign]


class CleanTD3:
    """A plain TD3 loop of CleanRL's shape: modules, torch's Adam, a replay of arrays."""

    def __init__(self, name: str, seed: int = 0, batch: int = 64) -> None:
        torch.manual_seed(seed)
        self.system, self.batch = systems.get(name), batch
        self.rng = np.random.default_rng(seed)
        inputs, actions = self.system.state_dim, self.system.action_dim

        def mlp(i: int, o: int) -> nn.Sequential:
            return nn.Sequential(
                nn.Linear(i, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, o)
            )

        self.actor, self.target_actor = mlp(inputs, actions), mlp(inputs, actions)
        self.critics = [mlp(inputs + actions, 1) for _ in range(2)]
        self.target_critics = [mlp(inputs + actions, 1) for _ in range(2)]
        self.target_actor.load_state_dict(self.actor.state_dict())
        for critic, target in zip(self.critics, self.target_critics, strict=True):
            target.load_state_dict(critic.state_dict())
        parameters = [p for critic in self.critics for p in critic.parameters()]
        self.critic_adam = torch.optim.Adam(parameters, lr=3e-4)
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.limits = torch.as_tensor(self.system.action_limits, dtype=torch.float32)
        size = 100_000
        self.arrays = [np.zeros((size, n), np.float32) for n in (inputs, actions, 1, inputs, 1)]
        self.count = self.updates = self.steps = 0
        self.state = self.system.initial_states(1, self.rng)

    def step(self) -> None:
        """One step of the environment and one update."""
        system = self.system
        with torch.no_grad():
            action = torch.tanh(self.actor(torch.from_numpy(self.state))) * self.limits
            action = action + torch.normal(0.0, self.limits.expand_as(action) * 0.1)
        taken = system.clip(action.numpy())
        reward = float(system.reward(self.state, taken)[0])
        new = system.step(self.state, taken)
        goal = bool(system.in_goal(new)[0])
        place = self.count % len(self.arrays[0])
        for array, row in zip(
            self.arrays, (self.state[0], taken[0], 10 * reward, new[0], goal), strict=True
        ):
            array[place] = row
        self.count += 1
        self.steps += 1
        self.state = new
        if goal or self.steps >= 500 or system.out_of_plane(new)[0]:
            self.state, self.steps = system.initial_states(1, self.rng), 0
        if self.count >= self.batch:
            self._update()

    def _update(self) -> None:
        rows = self.rng.integers(0, self.count, self.batch)
        s, a, r, n, done = (torch.from_numpy(array[rows]) for array in self.arrays)
        with torch.no_grad():
            noise = (torch.randn_like(a) * 0.2).clamp(-0.5, 0.5) * self.limits
            b = torch.tanh(self.target_actor(n)) * self.limits + noise
            b = torch.minimum(torch.maximum(b, -self.limits), self.limits)
            x = torch.cat([n, b], 1)
            q = torch.minimum(*(target(x) for target in self.target_critics))
            goal = r + 0.99 * (1 - done) * q
        x = torch.cat([s, a], 1)
        first, second = (nn.functional.mse_loss(critic(x), goal) for critic in self.critics)
        loss = first + second
        self.critic_adam.zero_grad()
        loss.backward()
        self.critic_adam.step()
        self.updates += 1
        if self.updates % 2:
            return
        loss = -self.critics[0](torch.cat([s, torch.tanh(self.actor(s)) * self.limits], 1)).mean()
        self.actor_adam.zero_grad()
        loss.backward()
        self.actor_adam.step()
        pairs = [(self.actor, self.target_actor)]
        pairs += list(zip(self.critics, self.target_critics, strict=True))
        for network, target in pairs:
            for p, t in zip(network.parameters(), target.parameters(), strict=True):
                t.data.copy_(0.005 * p.data + 0.995 * t.data)


@main.command()
@click.option("--system", default="point_mass", show_default=True)
@click.option("--rounds", default=6, show_default=True)
@click.option("--steps", default=1500, show_default=True, help="Of each block.")
@one_thread()
def trainer(system: str, rounds: int, steps: int) -> None:
    """Steps a second, in turns: CALF's trainer, and a plain TD3 loop."""
    config = TrainingConfig.from_preset(
        "quick", system=system, episodes=100_000, select_every=100_000
    )
    both: dict[str, Trainer | CleanTD3] = {
        "calf_viz": Trainer(config),
        "plain TD3": CleanTD3(system),
    }
    found: dict[str, list[float]] = {name: [] for name in both}
    for one in both.values():
        for _ in range(300):
            one.step()
    for _ in range(rounds):
        for name, one in both.items():
            start = time.perf_counter()
            for _ in range(steps):
                one.step()
            found[name].append(steps / (time.perf_counter() - start))
    for name, speeds in found.items():
        low, high = min(speeds), max(speeds)
        click.echo(f"{name}: {np.median(speeds):.0f} steps/s ({low:.0f} to {high:.0f})")


if __name__ == "__main__":
    run_command(main, "bench_training", "bench_training: ")
