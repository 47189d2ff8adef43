"""Shader sources: includes, overlays, and compilers' messages told in the user's own lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from calf_viz.errors import UserError
from calf_viz.heightfield import Heightfield
from calf_viz.render.scene import Scene
from calf_viz.render.sources import ShaderLibrary, explain, shader_folder

# As the compilers print them; the line is the fourth of the expanded text below.
MESA = """GLSL Compiler failed

fragment_shader
===============
0:2(1): warning: extension `X' unsupported in fragment shader
0:4(13): error: `undefined_name' undeclared
0:4(5): error: operands to arithmetic operators must be numeric
"""
NVIDIA = """fragment_shader
===============
0(2) : warning C7050: "x" might be used before being initialized
0(4) : error C1503: undefined variable "undefined_name"
"""
APPLE = "ERROR: 0:4: Use of undeclared identifier 'undefined_name'\n"


def write(folder: Path, **files: str) -> ShaderLibrary:
    """A library whose overlay holds the files; `__` in a name stands for the suffix's dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode())
    return ShaderLibrary(folder)


def test_includes_stand_where_they_were_named(tmp_path):
    library = write(tmp_path, main__vert='a\n#include "part.glsl"\nb\n', part__glsl="x\ny\n")
    source = library.load("main.vert")
    assert source.text == "a\nx\ny\nb\n"
    main, part = tmp_path / "main.vert", tmp_path / "part.glsl"
    assert source.origins == ((main, 1), (part, 1), (part, 2), (main, 3))
    assert source.origin(3) == (part, 2) and source.origin(4) == (main, 3)
    assert source.origin(0) == (main, 1) and source.origin(99) == (main, 3)


def test_includes_may_be_nested_and_spaced(tmp_path):
    library = write(
        tmp_path,
        main__vert='  #  include "one.glsl"  // why\nend\n',
        one__glsl='1\n#include "two.glsl"\n1b',
        two__glsl="2",
    )
    source = library.load("main.vert")
    assert source.text == "1\n2\n1b\nend\n"
    assert [line for _, line in source.origins] == [1, 1, 3, 2]


def test_a_file_is_included_once(tmp_path):
    library = write(
        tmp_path,
        main__vert='#include "a.glsl"\n#include "b.glsl"\n#include "a.glsl"\n',
        a__glsl="a\n",
        b__glsl='#include "a.glsl"\nb\n',
    )
    assert library.load("main.vert").text == "a\nb\n"
    assert library.load("main.vert").text == "a\nb\n", "a second load starts afresh"


def test_a_cycle_is_named(tmp_path):
    library = write(
        tmp_path,
        main__vert='\n#include "a.glsl"\n',
        a__glsl='#include "b.glsl"\n',
        b__glsl='// b\n#include "a.glsl"\n',
    )
    with pytest.raises(UserError) as caught:
        library.load("main.vert")
    message = str(caught.value)
    assert "main.vert -> a.glsl -> b.glsl -> a.glsl" in message
    assert f"{tmp_path / 'b.glsl'}:2" in message and "\n" not in message


def test_a_missing_file_is_named_with_the_line_that_asks_for_it(tmp_path):
    library = write(tmp_path, main__vert='a\nb\n#include "gone.glsl"\n')
    with pytest.raises(UserError, match=r"main\.vert:3: .*gone\.glsl.*not found"):
        library.load("main.vert")
    with pytest.raises(UserError, match=r"nothing\.vert not found"):
        library.load("nothing.vert")


def test_windows_line_ends(tmp_path):
    library = write(tmp_path, main__vert='a\r\n#include "p.glsl"\r\nb\r\n', p__glsl="x\r\n")
    source = library.load("main.vert")
    assert source.text == "a\nx\nb\n"
    assert source.origin(3) == (tmp_path / "main.vert", 3)


def test_a_byte_order_mark_is_no_part_of_the_shader(tmp_path):
    library = write(tmp_path, main__vert='\ufeff#include "p.glsl"\nb\n', p__glsl="\ufeffx\n")
    assert library.load("main.vert").text == "x\nb\n"


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "main.vert").write_bytes(b"void \xff main")
    with pytest.raises(UserError, match=r"main\.vert: not UTF-8"):
        ShaderLibrary(tmp_path).load("main.vert")


def test_an_overlay_replaces_single_files_and_inherits_the_rest(tmp_path):
    own = "vec4 trail_colour(int mode, float age) { return vec4(1.0); }\n"
    library = write(tmp_path, trail_colour__glsl=own)
    source = library.load("field.frag")
    shipped = ShaderLibrary().load("field.frag")
    assert own in source.text and own not in shipped.text
    files = {path for path, _ in source.origins}
    assert tmp_path / "trail_colour.glsl" in files
    assert shader_folder() / "trail_colour.glsl" not in files
    assert shader_folder() / "lib" / "contract.glsl" in files


def test_an_overlay_reaches_into_sub_folders(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "ring.glsl").write_text("// mine\n", encoding="utf-8")
    assert "// mine\n" in ShaderLibrary(tmp_path).load("field.vert").text


def test_an_overlay_that_is_no_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"--shaders .*nowhere"):
        ShaderLibrary(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["field.vert", "field.frag"])
def test_every_expanded_line_is_found_in_its_file(name):
    source = ShaderLibrary().load(name)
    lines = source.text.splitlines()
    assert len(lines) == len(source.origins)
    texts = {path: path.read_text(encoding="utf-8").splitlines() for path, _ in source.origins}
    for line, (path, number) in zip(lines, source.origins, strict=True):
        assert texts[path][number - 1] == line
    assert lines[0] == "#version 330", "nothing may come before it"


@pytest.mark.parametrize(
    ("log", "words"),
    [(MESA, "`undefined_name' undeclared"), (NVIDIA, "undefined variable"), (APPLE, "undeclared")],
    ids=["mesa", "nvidia", "apple"],
)
def test_a_compilers_first_error_is_told_in_the_users_line(tmp_path, log, words):
    library = write(
        tmp_path, main__frag='a\n#include "hook.glsl"\nb\n', hook__glsl="// mine\n\nbroken\n"
    )
    source = library.load("main.frag")  # its lines: a, // mine, (empty), broken, b
    message = explain(log, source)
    assert message.startswith(f"{tmp_path / 'hook.glsl'}:3: ")
    assert words in message and "\n" not in message


@pytest.mark.parametrize("log", ["error: too many varyings", "", "something else"])
def test_a_message_without_a_line_still_names_the_file(tmp_path, log):
    source = write(tmp_path, main__frag="a\n").load("main.frag")
    message = explain(log, source)
    assert message.startswith(f"{tmp_path / 'main.frag'}: ") and len(message.split(": ", 1)[1]) > 3


@pytest.mark.rendering
@pytest.mark.parametrize(
    ("hook", "signature"),
    [
        ("trail_colour.glsl", "vec4 trail_colour(int mode, float age)"),  # fragment shader
        ("trail_width.glsl", "float trail_half_width(float age)"),  # vertex shader
    ],
)
def test_a_real_compilers_error_names_the_users_line(tmp_path, hook, signature):
    from calf_viz.hosts.moderngl_host import ModernglHost

    body = f"// mine\n{signature} {{\n    return undefined_name;\n}}\n"
    (tmp_path / hook).write_text(body, encoding="utf-8")
    field = Heightfield(np.zeros((2, 2)), (-1.0, -1.0), (1.0, 1.0))
    with pytest.raises(UserError) as caught:
        colours = np.zeros((2, 4), np.uint8)
        ModernglHost(Scene(trail=4), field, colours, 1, library=ShaderLibrary(tmp_path))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / hook}:3: ")
    assert re.search("undefined_name", message) and "\n" not in message
