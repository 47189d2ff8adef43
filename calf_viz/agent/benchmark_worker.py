"""A process of a benchmark: `python -m calf_viz.agent.benchmark_worker`, started by its pool."""

from __future__ import annotations

from typing import Any

from calf_viz.agent import pool


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    from calf_viz.agent import benchmark  # torch: seconds, in which the pool may already end it
    from calf_viz.agent.config import TrainingConfig

    return benchmark.measure(task["policy"], TrainingConfig(**task["config"])).values()


if __name__ == "__main__":
    pool.work(_answer)
