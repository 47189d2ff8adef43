"""How the picture moves through a source's steps: running or paused, fast, slowly, backwards."""

from __future__ import annotations

RATES = (0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
"""Steps per frame, in multiples of the usual ones."""
NAMES = dict(zip(RATES, ("1/8", "1/4", "1/2", *map(str, RATES[3:])), strict=True))
FORWARDS, BACKWARDS = "▶", "◀"


class Playback:
    """The playback state, initially running.

    Attributes:
        paused: whether it is paused.
        rate: how fast it is, one of `RATES`.
        backwards: whether it goes back in time.
        looping: whether it stays between two marks.
    """

    def __init__(self) -> None:
        self.paused = self.backwards = self.looping = False
        self.rate: float = 1
        self._single_steps = 0
        self._due = 0.0

    def toggle(self) -> None:
        """Pause or resume."""
        self.paused = not self.paused
        self._single_steps = 0

    def single_step(self) -> None:
        """Pause, and take one more step."""
        self.paused = True
        self._single_steps += 1

    def change_rate(self, by: int) -> None:
        """Go faster, or more slowly, by so many rates."""
        self.rate = RATES[min(max(RATES.index(self.rate) + by, 0), len(RATES) - 1)]
        self._due = 0.0

    def take(self) -> int:
        """How many times to step now, negative if backwards; called once per frame."""
        if not self.paused:
            self._due += self.rate
            whole = int(self._due)
            self._due -= whole
            return -whole if self.backwards else whole
        wanted = self._single_steps > 0
        self._single_steps -= wanted
        return int(wanted)

    @property
    def text(self) -> str | None:
        """What is not as usual, in a few signs: `▶ 4x`, `◀`, `loop`, `paused`; None if all is."""
        usual = self.rate == 1 and not self.backwards
        said = [] if usual else [BACKWARDS if self.backwards else FORWARDS]
        if self.rate != 1:
            said.append(f"{NAMES[self.rate]}x")
        if self.looping:
            said.append("loop")
        return " ".join([*(["paused"] if self.paused else []), *said]) or None
