"""Worker process of a benchmark: `python -m calf_viz.training.benchmark_worker`, for its pool."""

from __future__ import annotations

from typing import Any

from calf_viz.training import pool


def _answer(task: dict[str, Any]) -> dict[str, Any]:
    from calf_viz import systems
    from calf_viz.training import benchmark
    from calf_viz.training.config import TrainingConfig

    systems.given(task["system"])
    with systems.errors_reported():
        return benchmark.measure(task["policy"], TrainingConfig(**task["config"])).values()


if __name__ == "__main__":
    pool.work(_answer)
