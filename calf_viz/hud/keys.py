"""The single table of keys, from which windows bind them, and the line of keys and docs/hud.md are
made.

An action that is not provided is neither bound nor shown.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import NamedTuple


class Key(NamedTuple):
    """One action: its name in the program, the events that trigger it, and its descriptions."""

    action: str
    events: tuple[str, ...]
    """Panda3D's names of them."""
    short: str
    """Description for the line of keys."""
    help: str
    """Description for the documentation."""


KEYS = (
    # If room is short, the last ones are left out of the line of keys.
    Key("pause", ("space",), "pause", "pause or resume; at a recording's end, begin again"),
    Key("single_step", ("n", ".", "arrow_right"), "step", "pause, and take a single step"),
    Key("frame_agents", ("f",), "agents", "frame the agents, from the side seen now"),
    Key("reset_view", ("r",), "all", "frame all of the plane, from the usual side"),
    Key("top_view", ("t",), "top view", "look from above"),
    Key("toggle_hud", ("h",), "HUD", "hide or show the HUD"),
    Key("next_theme", ("l",), "theme", "cycle the themes: dark, light, high contrast"),
    Key("save_look", ("s",), "save look", "save the controls' values beside the look's shaders"),
    Key("next_view", ("tab",), "A/B", "with two looks: cycle split, first, second, difference"),
    Key(
        "quit",
        ("escape", "q"),
        "quit",
        "close the window; `escape` lets go of a chosen agent first",
    ),
    Key(
        "next_agent",
        ("]",),
        "next agent",
        "choose the next agent, which has a ring, as a click does",
    ),
    Key("previous_agent", ("[",), "previous", "choose the previous agent"),
    Key("why", ("w",), "why", "say why the agent in a ring took its last step"),
    Key("next_scale", ("v",), "scale", "cycle the scales of values: linear, sqrt, symlog, rank"),
    Key(
        "next_limits",
        ("b",),
        "range",
        "cycle the range of values shown: auto, robust, agents, and the configured one",
    ),
    Key("show_camera", ("c",), "camera", "print the camera as the setting `camera` takes it"),
    Key("step_back", (",", "arrow_left"), "back", "stay, and go a step back"),
    Key("first_step", ("home",), "first", "go back as far as there are steps"),
    Key("last_step", ("end",), "newest", "go to the newest step, or a recording's end"),
    Key("faster", ("=", "+"), "faster", "play twice as fast, up to 64 times"),
    Key("slower", ("-",), "slower", "play half as fast, down to an eighth"),
    Key("backwards", ("backspace",), "backwards", "play backwards, or forwards again"),
    Key(
        "fork",
        ("shift-f",),
        "fork",
        "with a recording: the chosen agent, or all, go on from here by another policy, as ghosts; "
        "again: by the next one",
    ),
    Key("mark", ("m",), "mark", "mark the step shown, or take its mark away"),
    Key("next_mark", ("arrow_down",), "next mark", "go to the next mark"),
    Key("previous_mark", ("arrow_up",), "previous", "go to the mark before"),
    Key("loop", ("o",), "loop", "stay between the marks before and after, or go on again"),
    Key("next_critic", ("page_down",), "next critic", "go to where the next critic begins"),
    Key("previous_critic", ("page_up",), "previous", "go to where a critic before began"),
    Key("next_episode", ("'",), "episode", "go to where the chosen agent's next episode begins"),
    Key("previous_episode", (";",), "previous", "go to where its last one began"),
    Key("todays_critic", ("k",), "newest critic", "show all steps on the newest critic, or then's"),
    Key("follow_agent", ("g",), "follow", "keep the camera at the chosen agent, until it is moved"),
    Key("export_profile", ("f1",), "export", "write the profile measured so far to a file"),
    Key("toggle_profiler", ("f2",), "profiler", "switch the profiler on or off"),
    Key("reset_profiler", ("f3",), "reset", "discard what the profiler measured"),
)

REPLAYED = (
    "pause", "single_step", "step_back", "mark", "loop", "faster", "slower", "backwards",
    "next_agent", "why", "fork", "quit",
)  # fmt: skip
"""What the line of keys begins with where a recording is shown."""


def by_action(action: str) -> Key:
    """The key of an action. Raises KeyError for an unknown one."""
    return {key.action: key for key in KEYS}[action]


def event_name(event: str) -> str:
    """An event as printed on a keyboard."""
    return event.upper() if event.startswith("f") and event[1:].isdecimal() else event


def help_line(actions: Container[str]) -> list[tuple[str, str]]:
    """(key, description) for the given actions, with the first key of each."""
    keys = [key for key in KEYS if key.action in actions]
    if "fork" in actions:  # only of a recording
        keys.sort(key=lambda key: key.action not in REPLAYED)
    return [(event_name(key.events[0]), key.short) for key in keys]


def table() -> str:
    """All keys as a table in Markdown."""
    rows = [(" or ".join(f"`{event_name(e)}`" for e in key.events), key.help) for key in KEYS]
    return "\n".join(["| key | |", "| --- | --- |", *(f"| {k} | {text} |" for k, text in rows)])


BEGIN, END = "<!-- keys: generated by python -m calf_viz.hud.keys -->", "<!-- keys end -->"


def documented(text: str) -> str:
    """A document with the current table of keys between its two marks."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the marks {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    document = Path(__file__).resolve().parents[2] / "docs" / "hud.md"
    document.write_text(documented(document.read_text(encoding="utf-8")), encoding="utf-8")
