"""Errors that people catch, in another process than they were raised in as well."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

import calf_viz
from calf_viz.errors import LONGEST_MESSAGE, FileDamaged, FileTrouble, UserError
from calf_viz.glsl.problems import Problem, ShaderError
from calf_viz.hosts.memory import NotEnough
from calf_viz.profiling.comparison import IncomparableError
from calf_viz.recording.stream import Unbegun
from calf_viz.shader_trial.examiner import Unfit

RAISED = (
    UserError("give another"),
    FileTrouble("no/such", "it is missing", "give another file"),
    FileDamaged(Path("a.toml"), "not TOML", "fix it", 3),
    ShaderError([Problem(Path("a.glsl"), 2, "syntax error", "x y")], "0:2(1): error"),
    IncomparableError("other machines: compare on one"),
    Unfit("no OpenGL"),
    NotEnough("there is less"),
    Unbegun(Path("agents-000000.arrows"), "it ends within its schema", "wait for its writer"),
)


def below(kind: type[UserError]) -> set[type[UserError]]:
    return {kind}.union(*map(below, kind.__subclasses__()))


def test_it_is_found_where_people_look_for_it() -> None:
    assert calf_viz.UserError is UserError


def test_each_kind_is_tried() -> None:
    ours = {kind for kind in below(UserError) if kind.__module__.startswith("calf_viz")}
    assert ours - {type(error) for error in RAISED} == {FileTrouble.__base__}


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_it_comes_whole_from_another_process(error: UserError) -> None:
    """Where `multiprocessing` cannot make an error again, its pool waits for ever."""
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error) and str(again) == str(error)
        assert vars(again) == vars(error) and again.exit_code == error.exit_code


def test_however_long_it_is_it_is_one_line() -> None:
    said = str(UserError("a\n\x1b[31m" * 10_000))
    assert "\n" not in said and "\x1b" not in said and len(said) < 5 * LONGEST_MESSAGE
