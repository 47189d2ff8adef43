"""The table of keys: what is bound, what is shown, what is documented, all from one place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scene_folder import POINT_MASS

from calf_viz.heightfield import Heightfield
from calf_viz.hud import keys
from calf_viz.hud.key_line import KeyLine
from calf_viz.hud.keys import KEYS, by_action, documented, help_line
from calf_viz.hud.overview import overview
from calf_viz.scene.scene import Scene

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "hud.md"


def test_no_event_and_no_action_is_there_twice() -> None:
    events = [event for key in KEYS for event in key.events]
    assert len(set(events)) == len(events)
    assert len({key.action for key in KEYS}) == len(KEYS)


def test_what_must_have_a_key() -> None:
    expected = {
        "pause": "space", "single_step": "n", "quit": "escape", "toggle_hud": "h",
        "export_profile": "f1", "toggle_profiler": "f2", "reset_profiler": "f3",
    }  # fmt: skip
    for action, event in expected.items():
        assert event in by_action(action).events
    with pytest.raises(KeyError):
        by_action("dance")


def test_the_line_of_keys_shows_only_what_there_is() -> None:
    assert help_line({"quit", "pause"}) == [("space", "pause"), ("escape", "quit")]
    assert help_line({"export_profile"}) == [("F1", "export")]
    assert help_line(set()) == []


def test_a_recording_is_shown_with_the_keys_that_move_in_it() -> None:
    every = {key.action for key in KEYS}
    line = [does for _, does in help_line(every)]
    assert line[:3] == ["pause", "step", "quit"]
    assert line.index("mark") < line.index("top view")
    live = [does for _, does in help_line(every - {"fork"})]
    assert live.index("top view") < live.index("mark")


def test_the_documentation_is_in_force() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == documented(text), "run `python -m calf_viz.hud.keys`"
    for key in KEYS:
        assert f"| {key.help} |" in text


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        documented("no marks here")
    around = f"before {keys.BEGIN} old {keys.END} after"
    assert documented(around).startswith("before ") and documented(around).endswith(" after")
    assert "old" not in documented(around)


def test_how_to_quit_is_shown_at_the_usual_size() -> None:
    """With every key there is beside it."""
    every = help_line({key.action for key in KEYS})
    hud = overview(POINT_MASS, every)
    heightfield = Heightfield(np.zeros((2, 2)), (-1.0, -1.0), (1.0, 1.0))
    hud.prepare(Scene(size=(1280, 720)), heightfield)
    (line,) = (widget for widget in hud.widgets if isinstance(widget, KeyLine))
    assert ("escape", "quit") in every[: line._shown]
