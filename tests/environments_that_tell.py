"""An environment that says what the watching of its loop does in its own process; children of
several processes import it."""

from __future__ import annotations

import os
from typing import Any

import gymnasium
import numpy as np
from calf_attach import Handle, handle
from calf_attach.search import loops


class Telling(gymnasium.Wrapper):  # type: ignore[misc]
    """CartPole, whose infos say the process and its handles; it uses the loop's, if it has one."""

    def __init__(self, viz: Handle | None = None) -> None:
        super().__init__(gymnasium.make("CartPole-v1"))
        self.viz = viz

    def step(self, action: Any) -> Any:
        """As CartPole's."""
        *found, infos = super().step(action)
        if self.viz is not None:  # of another process: nothing of this may be seen
            self.viz.reset(np.full((7, 4), 9.0))
            self.viz.step(np.full((7, 4), 9.0))
            self.viz.refresh()
            self.viz.close()
        running = [one for one in handle._live if one.is_running()]
        own = [one for one in loops()[0] if one.board[3] == os.getpid()]
        return *found, {**infos, "process": os.getpid(), "running": len(running), "own": len(own)}
