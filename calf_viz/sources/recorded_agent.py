"""What decided in a recording of CALF's: its certificate, and the value of its agents' states."""

from __future__ import annotations

from typing import Any

import numpy as np

from calf_viz import systems
from calf_viz.errors import UserError
from calf_viz.recording.recording import Recording
from calf_viz.samples import Samples
from calf_viz.sources.simulation import hidden_square
from calf_viz.verification.networks import Networks
from calf_viz.view import Certificate


class RecordedAgent:
    """Reads what a recording says of it, which may be nothing: then there is less to show."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._networks: tuple[int, Networks | None] | None = None
        about = recording.meta.get("agent")
        self._about: dict[str, Any] = about if isinstance(about, dict) else {}
        self._system, self._constants, self._hidden_square = None, (0.0, 0.0, 0.0), 0.0
        try:
            self._system = systems.get(str(self._about["system"]))
            constants = self._about["constants"]
            nu, low, up = (float(constants[name]) for name in ("nu_bar", "c_low", "c_up"))
            self._constants = nu, low, up
            hidden = np.asarray(self._about["slice"], np.float64)
            if hidden.shape == (self._system.state_dim,):
                self._hidden_square = hidden_square(self._system, tuple(hidden.tolist()))
        except (UserError, KeyError, TypeError, ValueError, OverflowError):
            pass  # a system that is not known here, or a recording that does not say

    def certificate(self, chosen: int, samples: Samples | None) -> Certificate:
        """As `Certified`, of the samples shown."""
        if samples is None or not len(samples):
            return Certificate(0)
        chosen = min(chosen, len(samples) - 1)
        q_plus = samples.columns.get("q_plus")
        known = None if q_plus is None or q_plus.ndim != 1 else float(q_plus[chosen])
        if known is not None and not np.isfinite(known):
            known = None
        return Certificate(chosen, known, self._constants, self._hidden_square)

    def mean_value(self, samples: Samples, critic: int | None) -> float | None:
        """Mean of the values recorded, or else of the recorded critic's at the agents' states; None
        if neither is known."""
        values = samples.columns.get("value")
        if values is not None and values.ndim == 1:
            known = values[np.isfinite(values)]
            if len(known):
                return float(known.mean())
        states = samples.columns.get("state")
        networks = None if critic is None or states is None else self._networks_of(critic)
        if networks is None or states is None:
            return None
        with np.errstate(all="ignore"):  # weights may be anything
            return float(np.mean(-networks.q(states, networks.actor(states))))

    def _networks_of(self, critic: int) -> Networks | None:
        if self._networks is None or self._networks[0] != critic:
            self._networks = critic, self._read(critic)
        return self._networks[1]

    def _read(self, critic: int) -> Networks | None:
        weights, system = self._recording.critic(critic).weights, self._system
        if weights is None or system is None:
            return None
        try:
            hidden = int(self._about["hidden"])
            return Networks(weights, system.state_dim, system.action_limits, hidden, system.angles)
        except (KeyError, TypeError, ValueError):
            return None
