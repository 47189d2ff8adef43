"""What decided in a recording of CALF's: its certificate, and the value of its agents' states."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from calf_viz.errors import UserError
from calf_viz.recording.recording import Recording
from calf_viz.recording.rules import Rules, rules
from calf_viz.samples import Samples
from calf_viz.sources.simulation import hidden_square
from calf_viz.verification.networks import Networks
from calf_viz.view import Certificate


class RecordedAgent:
    """Reads what a recording says of it, which may be nothing: then there is less to show."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._networks: tuple[int, Networks | None] | None = None
        self._rules: Rules | None = None
        self._constants, self._hidden_square = (0.0, 0.0, 0.0), 0.0
        with suppress(UserError):  # a system that is not known here, or it does not say
            by = self._rules = rules(recording)
            self._constants = by.nu_bar, by.c_low, by.c_up
            self._hidden_square = hidden_square(by.system, by.hidden_states)

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
        if networks is None or states is None or self._rules is None:
            return None
        if states.shape[1:] != (self._rules.system.state_dim,):  # of rows that came later
            return None
        with np.errstate(all="ignore"):  # weights may be anything
            return float(np.mean(-networks.q(states, networks.actor(states))))

    def _networks_of(self, critic: int) -> Networks | None:
        if self._networks is None or self._networks[0] != critic:
            self._networks = critic, self._read(critic)
        return self._networks[1]

    def _read(self, critic: int) -> Networks | None:
        weights, by = self._recording.critic(critic).weights, self._rules
        if weights is None or by is None:
            return None
        system = by.system
        try:
            limits = system.action_limits
            return Networks(weights, system.state_dim, limits, by.hidden, system.angles)
        except ValueError:
            return None
