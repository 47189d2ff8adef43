"""Environments that show their steps by themselves: see `Handle.wrap`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calf_attach.handle import Handle


class Watched:
    """An environment, vectorised or not, whose steps are shown; all else is the environment's.

    Attributes:
        env: the environment.
        viz: the handle that shows it.
    """

    def __init__(self, env: Any, viz: Handle) -> None:
        self.env, self.viz = env, viz

    def reset(self, *given: Any, **named: Any) -> Any:
        """As the environment's."""
        found = self.env.reset(*given, **named)
        options = named.get("options")
        mask = options.get("reset_mask") if isinstance(options, dict) else None
        self.viz.reset(found[0] if _is_pair(found) else found, mask=mask)
        return found

    def step(self, actions: Any) -> Any:
        """As the environment's."""
        found = self.env.step(actions)
        shown = actions if self.viz.counts_actions else None
        if isinstance(found, tuple) and len(found) == 4:  # of Gym before 0.26, and SB3's VecEnv
            observed, rewards, done, infos = found
            self.viz.step(observed, rewards, done, None, infos, actions=shown)
        else:
            self.viz.step(*found, actions=shown)
        return found

    def close(self, *given: Any, **named: Any) -> Any:
        """As the environment's; the handle is closed, too."""
        self.viz.close()
        return self.env.close(*given, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.env, name)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_pair(found: Any) -> bool:
    return isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], dict)
