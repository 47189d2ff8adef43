"""What is known of one agent, for its panel: what it does, and why it took its last step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calf_viz.hud import numbers, theme
from calf_viz.hud.agent_panel import CERTIFIED, NOMINAL, AgentPanel, Plotted
from calf_viz.hud.panel import Row
from calf_viz.hud.widgets import VALUE_CAPACITY
from calf_viz.samples import Samples
from calf_viz.scene.mode_bits import shown_modes
from calf_viz.scene.paint import mode_tone

if TYPE_CHECKING:
    from calf_viz.agent.explanation import Axis, Explanation, Judged
    from calf_viz.hud.hud import Hud
    from calf_viz.viewer.feed import Feed

EVERY = 6
"""Frames between two accounts of an agent that moves: nobody reads sixty a second."""
MOST_COLUMNS = 6
"""Further values of a source's that are shown."""
NAME = "agent"
OURS = ("state", "action", "q", "q_plus", "ended")
"""Columns that have rows of their own, or none."""
WHY = (
    Row("why", "", rank=3, rule=True, heading=True),
    Row("why_decrease", "decrease: q − q+ ≥ ν, by", rank=2),
    Row("why_lower bound", "bound: −q ≥ C r², by", rank=2),
    Row("why_upper bound", "bound: −q ≤ C r², by", rank=2),
    Row("why_judged", "", rank=4, heading=True),
    Row("why_actor", "actor", rank=2, swatch=mode_tone(CERTIFIED)),
    Row("why_nominal", "nominal", rank=2, swatch=mode_tone(NOMINAL)),
    Row("why_taken", "taken", rank=2, swatch=theme.BRIGHT, rings=1),
)
PASSED = "why: of the newest step alone"
BEGINS = "no action led here: an episode begins"


class AgentAccount:
    """Keeps the panel of an agent up to date; it is there while there is one.

    Attributes:
        agent: which; None: no panel.
        why: whether it says why.
    """

    def __init__(self, hud: Hud, feed: Feed) -> None:
        self._hud, self._feed = hud, feed
        self.agent: int | None = None
        self.why = False
        self._panel = AgentPanel(NAME, "agent", ())
        hud.add(self._panel)
        self._samples: Samples | None = None
        self._earlier: Samples | None = None  # shown instead
        self._back, self._live = 0, False
        self._paused = False
        self._news = 0  # steps seen, and looks at others
        self._step: int | None = None  # the newest
        self._every = 1  # steps between two samples
        self._count = 0  # steps seen, or left out
        self._begun = np.zeros(0, np.int64)  # that count when each episode began
        self._known = np.zeros(0, bool)  # else it may have begun before
        self._shown: tuple[Any, ...] = ()
        self._since = 0
        self._keys: set[str] = set()

    def read(self, feed: Feed) -> None:
        """Tell about another source's agents."""
        self._feed, self._samples, self._earlier = feed, None, None
        self._begun, self._known = self._begun[:0], self._known[:0]

    def see(self, samples: list[Samples]) -> None:
        """Take note of steps."""
        for each in samples:
            self._count += self._taken(each)
            begun, known = self._begun[: len(each)], self._known[: len(each)]
            if more := len(each) - len(begun):  # their episodes may have begun before
                begun = np.concatenate([begun, np.full(more, self._count)])
                known = np.concatenate([known, np.zeros(more, bool)])
            begun[each.first], known[each.first] = self._count, True
            self._begun, self._known, self._step = begun, known, each.step
        self._samples = samples[-1]
        self._news += 1

    def _taken(self, samples: Samples) -> int:
        """Steps since the samples before: of a recording perhaps not each is there. If there is
        another number than before, the source went elsewhere, where episodes are others."""
        if samples.step is None or self._step is None:
            return 1
        taken = samples.step - self._step
        if taken != self._every:
            self._begun[:], self._known[:] = self._count, False
            self._every = max(taken, 1)
        return self._every

    def look_back(self, samples: Samples | None, back: int, live: bool) -> None:
        """Tell of an earlier step from now on, so many before the newest; None: of the newest.
        live: whether its source knows why the newest step was taken alone."""
        self._back, self._live = back, live
        if samples is not self._earlier:
            self._earlier = samples
            self._news += 1

    def tell(self, agent: int | None, why: bool, paused: bool) -> None:
        """Tell of this agent from the next frame on. paused: whether what is told stays."""
        self.agent, self.why, self._paused = agent, why, paused

    def frame(self) -> None:
        """Called before each frame."""
        self._since += 1
        now = self.agent, self.why, self._hud.canvas.theme
        if now == self._shown[:3] and self._shown[3] == self._news:
            return
        if now == self._shown[:3] and self._since < EVERY and not self._paused:
            return
        self.refresh()

    @property
    def stale(self) -> bool:
        """Whether the panel is about an earlier step."""
        return self.agent is not None and (not self._shown or self._shown[3] != self._news)

    def refresh(self) -> None:
        """Bring the panel up to date now."""
        before, self._since = self._shown, 0
        self._shown = self.agent, self.why, self._hud.canvas.theme, self._news
        samples, agent = self._samples if self._earlier is None else self._earlier, self.agent
        if samples is None or agent is None or agent >= len(samples):
            self._put({}, ())
            return
        known = not (self._back and self._live)
        explanation = self._feed.why(agent) if known else None
        rows = dict(self._rows(samples, agent, explanation))
        texts, names = {k: v for k, (_, v) in rows.items()}, {k: n for k, (n, _) in rows.items()}
        plots: tuple[Plotted, ...] = ()
        if self.why:
            texts |= _why(samples, agent, explanation) if known else {"why": PASSED}
            if explanation is not None:
                plots = tuple(self._plot(explanation, axis) for axis in explanation.axes)
        own = [Row(key, name, rank=_rank(key)) for key, name in names.items()]
        title = f"agent {numbers.count(agent)}"
        if (
            not before
            or before[0] != agent
            or [r.name for r in self._panel.rows] != [r.name for r in (*own, *WHY)]
        ):
            self._panel.title, self._panel.rows = title, (*own, *WHY)
            self._hud.redraw()
        self._put(texts, plots)

    def _put(self, texts: dict[str, str], plots: tuple[Plotted, ...]) -> None:
        panel = self._panel
        if [plot.name for plot in plots] != [plot.name for plot in panel.plots]:
            self._hud.redraw()
        panel.plots = plots
        gone: dict[str, str | None] = dict.fromkeys(self._keys - texts.keys())
        self._keys = set(texts)
        self._hud.update(**gone, **texts)

    def _rows(
        self, samples: Samples, agent: int, why: Explanation | None
    ) -> Iterator[tuple[str, tuple[str, str]]]:
        """Key, and name and text, of what there is."""
        view = self._feed.view
        modes = shown_modes(view.modes, view.margins)
        if len(modes) > 1:
            mode = min(int(samples.modes[agent]), len(modes) - 1)
            yield "agent_rule", ("rule", modes[mode])
        if (age := self._age(agent)) is not None:
            yield "agent_age", ("episode", age)
        pairs = zip(view.labels, samples.positions[agent].tolist(), view.lo, view.hi, strict=True)
        for number, (label, at, low, high) in enumerate(pairs):
            yield f"agent_at_{number}", (label, numbers.value(at, high - low))
        if samples.headings is not None:
            yield (
                "agent_heading",
                ("heading [rad]", numbers.value(float(samples.headings[agent]), 1.0)),
            )
        columns = samples.columns
        action = why.action if why is not None else columns.get("action")
        if action is not None:
            taken = np.atleast_1d(action if why is not None else action[agent])
            for number, value in enumerate(taken.tolist()[:MOST_COLUMNS]):
                if not math.isfinite(value):  # none led here
                    continue
                name = "action" if len(taken) == 1 else f"action {number + 1}"
                yield f"agent_action_{number}", (name, numbers.value(value, 1.0))
        if why is not None:
            if not self.why:  # else it is said below
                yield "agent_q", ("Q of the actor", numbers.value(why.q, why.q))
            if why.q_plus is not None:
                yield "agent_q_plus", ("q+ before", numbers.value(why.q_plus, why.q))
        # Of our own agents the same is told whether they are recorded or not.
        if why is None and not (samples.first[agent] and self._feed.accountable):
            yield from self._columns(columns, agent)

    @staticmethod
    def _columns(columns: Mapping[str, Any], agent: int) -> Iterator[tuple[str, tuple[str, str]]]:
        """What else the source tells of it, one number each."""
        plain = [name for name, column in columns.items() if column.ndim == 1 and name not in OURS]
        for name in plain[:MOST_COLUMNS]:
            value = float(columns[name][agent])
            if math.isfinite(value):
                yield f"agent_column_{name}", (name.replace("_", " "), numbers.value(value, value))

    def _age(self, agent: int) -> str | None:
        """None where it is not known any more."""
        steps, dt = self._count - int(self._begun[agent]) - self._back, self._feed.view.dt
        more = "" if self._known[agent] else "≥ "
        if steps < 0:
            return None
        if dt is None:
            return f"{more}{numbers.count(steps)} steps"
        return f"{more}{numbers.value(steps * dt, 100.0 * dt)} s"

    def _plot(self, why: Explanation, axis: Axis) -> Plotted:
        """Fill the series of an axis."""
        canvas, name = self._hud.canvas, f"why_{axis.number}"
        dots = [(judged.action[axis.number], judged.q) for judged in why.actions]
        shown = np.concatenate([axis.q, [q for _, q in dots]])
        shown = shown[np.isfinite(shown)]
        low, high = (float(shown.min()), float(shown.max())) if len(shown) else (-1.0, 0.0)
        room = max(0.12 * (high - low), 1e-6 * max(abs(low), abs(high), 1.0))
        low, high = low - room, high + room
        canvas.series.fill(name, axis.q.tolist())
        canvas.series.scale(name, low, high)

        def height(q: float) -> float:
            return min(max((q - low) / (high - low), 0.0), 1.0) if math.isfinite(q) else 0.0

        first, last = axis.values[0], axis.values[-1]
        least = _least(why)
        return Plotted(
            name,
            "action" if len(why.axes) == 1 else f"action {axis.number + 1}",
            numbers.plain(float(first)),
            numbers.plain(float(last)),
            tuple((float((at - first) / (last - first)), height(q)) for at, q in dots),
            () if axis.certified is None else _runs(axis.certified),
            height(least) if least is not None and low < least < high else None,
        )


RANKS = {"rule": 0, "action": 1, "q": 4, "age": 5, "at": 5, "heading": 6, "column": 7}


def _rank(key: str) -> int:
    """Of a row, by the second part of its key."""
    return RANKS[key.split("_")[1]]


def _least(why: Explanation) -> float | None:
    """The least Q that is certified; None without a q+."""
    decrease = next((one for one in why.inequalities if one.name == "decrease"), None)
    if decrease is None or why.q_plus is None:
        return None
    return max(why.q_plus + decrease.right, why.q - why.inequalities[2].margin)


def _why(samples: Samples, agent: int, why: Explanation | None) -> dict[str, str]:
    """Texts of the rows `WHY`."""
    if why is None:
        said = BEGINS if samples.first[agent] else "why: not known"
        return {"why": said}
    texts = {"why": _in_short(why)}
    for one in why.inequalities:
        texts[f"why_{one.name}"] = _signed(one.margin)
    if not why.axes:  # what was compared is known, but not the networks
        return texts
    texts["why_judged"] = "Q, and is it certified?" if why.inequalities else "Q"
    values = np.concatenate([axis.q for axis in why.axes])
    span = max(float(np.ptp(values)), 1e-4 * abs(why.q))
    texts |= {f"why_{judged.name}": _judged(judged, span) for judged in why.actions}
    return texts


def _in_short(why: Explanation) -> str:
    if not why.inequalities:
        return "the nominal policy decides"
    if not math.isfinite(why.q):
        return f"{why.rule}: q is not finite"
    if why.q_plus is None:
        return "certified: the episode's first"
    broken = [one.name for one in why.inequalities if not one.holds]
    if not broken:
        return f"{why.rule}: all three hold"
    return f"{why.rule}: {'q did not rise' if 'decrease' in broken else 'a bound is broken'}"


def _judged(judged: Judged, span: float) -> str:
    """With as many digits as tell actions apart, and fit."""
    said = "" if judged.certified is None else " yes" if judged.certified else " no"
    text = numbers.value(judged.q, span)
    while len(text) + len(said) > VALUE_CAPACITY and span < abs(judged.q):
        span *= 10.0
        text = numbers.value(judged.q, span)
    return text + said


def _runs(certified: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """From where to where points in a row are certified, half way to their neighbours, 0 to 1."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], certified, [False]])))
    last = len(certified) - 1
    ends = np.clip((edges - 0.5) / last, 0.0, 1.0).reshape(-1, 2)
    return [(start, end) for start, end in ends.tolist()]


def _signed(margin: float) -> str:
    text = numbers.value(margin, margin)
    return text if margin < 0.0 else f"+{text}"
