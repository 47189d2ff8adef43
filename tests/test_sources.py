"""Shader sources: includes, overlays, and compilers' messages told in the user's own lines."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calf_viz.errors import UserError
from calf_viz.glsl import text as glsl
from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.library import ShaderLibrary, read_define
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.shipped import shader_folder
from calf_viz.heightfield import Heightfield
from calf_viz.scene.scene import Scene

# As the compilers print them, and as Panda3D passes that on; the line is the fourth of the expanded
# text below.
LOGS = {
    "mesa": """GLSL Compiler failed

fragment_shader
===============
0:2(1): warning: extension `X' unsupported in fragment shader
0:4(13): error: `undefined_name' undeclared
0:4(5): error: operands to arithmetic operators must be numeric
""",
    "mesa's preprocessor": """fragment_shader
===============
0:4(5): preprocessor error: syntax error, undeclared name
""",
    "mesa's preprocessor in panda": """:display:gsg:glgsg(error): An error occurred while \
compiling GLSL fragment shader created-shader:
created-shader:4(5): preprocessor error: syntax error, undeclared name
""",
    "mesa in panda": """:display:gsg:glgsg(error): An error occurred while compiling GLSL \
fragment shader created-shader:
created-shader:2(1): warning: extension `X' unsupported in fragment shader
created-shader:4(13): error: `undefined_name' undeclared
created-shader:4(5): error: operands to arithmetic operators must be numeric
""",
    "nvidia": """GLSL Compiler failed

fragment_shader
===============
0(2) : warning C7050: "x" might be used before being initialized
0(4) : error C1503: undefined variable "undefined_name"
""",
    "nvidia, fatal": """fragment_shader
===============
0(4) : fatal error C9999: undefined name
""",
    "nvidia in panda": """:display:gsg:glgsg(error): An error occurred while compiling GLSL \
fragment shader created-shader:
created-shader(2) : warning C7050: "x" might be used before being initialized
created-shader(4) : error C1503: undefined variable "undefined_name"
""",
    "amd": """fragment_shader
===============
Fragment shader failed to compile with the following errors:
WARNING: 0:2: warning(#402) Implicit truncation of vector from size 4 to size 3.
ERROR: 0:4: error(#143) Undeclared identifier: undefined_name
ERROR: error(#273) 1 compilation errors.  No code generated
""",
    "amd in panda": """:display:gsg:glgsg(error): An error occurred while compiling GLSL \
fragment shader created-shader:
Fragment shader failed to compile with the following errors:
ERROR: created-shader:4: error(#143) Undeclared identifier: undefined_name
ERROR: error(#273) 1 compilation errors.  No code generated
""",
    "intel": """fragment_shader
===============
ERROR: 0:4: 'undefined_name' : undeclared identifier
ERROR: 0:4: '' : compilation terminated
ERROR: 2 compilation errors.  No code generated.
""",
    "apple": """fragment_shader
===============
ERROR: 0:4: Use of undeclared identifier 'undefined_name'
""",
    "apple in panda": """:display:gsg:glgsg(error): An error occurred while compiling GLSL \
fragment shader created-shader:
ERROR: created-shader:4: Use of undeclared identifier 'undefined_name'
""",
}


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


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"void\n \xff main", "main.vert:2: not UTF-8"),
        (b"a\0b", "main.vert:1: a zero byte"),
        (b"\n//" + b"x" * 1_000_00, "main.vert:2: a line of 100,002 characters"),
        (b"x\n" * 200_000, "main.vert: it holds 400,000 bytes"),
        (b'#include "' + b"x" * 1500 + b'"', "main.vert:1: shader file xxx"),
    ],
    ids=["not utf-8", "zero", "long line", "large", "no name of a file"],
)
def test_a_file_that_is_no_shader_is_named(tmp_path, data, complaint):
    (tmp_path / "main.vert").write_bytes(data)
    with pytest.raises(UserError, match=re.escape(complaint)):
        ShaderLibrary(tmp_path).load("main.vert")


def test_lines_are_counted_as_editors_count_them(tmp_path):
    """Not at form feeds, nor at the line separators of Unicode, which in a comment would end it."""
    library = write(tmp_path, main__vert="a\x0c\x0bb\n// é \u2028 \x85 π\r\nc\rd")
    source = library.load("main.vert")
    assert source.text == "a  b\n// ? ? ? ?\nc\nd\n", "drivers stumble over other white space"
    assert [line for _, line in source.origins] == [1, 2, 3, 4]


def test_numbers_of_lines_are_the_files_own(tmp_path):
    """What `#line` says would have compilers tell of other lines."""
    library = write(tmp_path, main__vert="#line 7\na\n # line 3 4\n// #line\n#linen\n")
    source = library.load("main.vert")
    assert source.text == "\na\n\n// #line\n#linen\n"
    assert source.line(1) == "#line 7" and source.origin(2) == (tmp_path / "main.vert", 2)


@pytest.mark.parametrize("text", ["a\n/* b\nc\n", "a\n/* b */ /*/\n", "a\nb /* // */ /**\n"])
def test_a_comment_without_an_end_is_told_where_it_begins(tmp_path, text):
    library = write(tmp_path, main__vert='#include "part.glsl"\nb */\n', part__glsl=text)
    with pytest.raises(UserError, match=r"part\.glsl:2: this comment has no end"):
        library.load("main.vert")
    library = write(tmp_path, part__glsl="/**/ // /*\n/*/ */ /* // */\n")
    assert library.load("main.vert").text.startswith("/**/")


@pytest.mark.parametrize("name", ["/etc/passwd", "../main.vert", "lib/../../x.glsl"])
def test_includes_stay_in_their_folders(tmp_path, name):
    """What lies elsewhere is not followed, and no other machine has it there."""
    library = write(tmp_path, main__vert=f'\n#include "{name}"\n')
    with pytest.raises(UserError, match=r"main\.vert:2: .*name a file below the look's folder"):
        library.load("main.vert")


class TestUniforms:
    """As `glsl.uniforms` reads them; the compiler is asked in tests of `shaders check`."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("uniform float u_a;", [("float", "u_a", False, 1, True)]),
            ("uniform float u_a, u_b;", [("float", f"u_{x}", False, 1, False) for x in "ab"]),
            ("uniform vec2 u_a = vec2(1, 2),\n u_b[2];",
             [("vec2", "u_a", False, 1, True), ("vec2", "u_b", True, 2, True)]),
            ("float x; uniform float u_a; uniform int u_b;",
             [("float", "u_a", False, 1, False), ("int", "u_b", False, 1, False)]),
            ("layout(location = 3) uniform\nhighp float\nu_a;", [("float", "u_a", False, 3, True)]),
            ("uniform float[2] u_a;", [("float", "u_a", True, 1, True)]),
            ("// uniform float u_a;\n/* uniform int u_b; */ uniformly = u_uniform;", []),
            ("#if uniform\n#error uniform float u_a;\n#endif", []),
        ],
    )  # fmt: skip
    def test_every_one_is_found(self, text, expected):
        assert [declared[:5] for declared in glsl.uniforms(text)] == expected

    @pytest.mark.parametrize(
        "text",
        [
            "uniform a\n", "uniform float u_a", "uniform float u_a, ", "uniform\n",
            "uniform float[", "uniform float u_a" + " " * 20,
            "#define uniform\n", "#define a uniform \\\n",
            "uniform highp ", "/* uniform */", "uniform float u_a = (", "// uniform\r",
        ],
    )  # fmt: skip
    def test_four_times_the_text_is_four_times_the_work(
        self, text: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By lines and characters that statements are looked up in."""

        def work(count: int) -> int:
            seen = [0]
            with monkeypatch.context() as counting:
                declared, line = glsl._declared, glsl._Places.line
                blank = glsl._blank

                def counted_declared(*given: Any) -> list[glsl.Declaration]:
                    end = glsl._STATEMENT.search(given[0], given[1])
                    assert end is not None
                    seen[0] += end.start() - given[1] + 1
                    return declared(*given)

                def counted_line(places: glsl._Places, at: int) -> int:
                    seen[0] += 1
                    return line(places, at)

                def counted_blank(part: str) -> str:
                    seen[0] += len(part)
                    return blank(part)

                counting.setattr(glsl, "_declared", counted_declared)
                counting.setattr(glsl._Places, "line", counted_line)
                counting.setattr(glsl, "_blank", counted_blank)
                glsl.uniforms.__wrapped__(text * count)
            return seen[0]

        assert work(400) <= 4.1 * work(100) + 10

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("#define IN uniform float\nIN u_a;", "a macro declares no uniform"),
            ("#define IN \\\n  uniform\nIN float u_a;", "a macro declares no uniform"),
            ("#define NAME u_a\nuniform float NAME;", "NAME is a macro"),
            ("#define IN(q) q float u_a;\nIN(uniform)", "cannot be read"),
            ("uniform Block { vec4 u_v; };", "nobody sets a uniform block"),
            ("uniform struct { vec4 v; } u_v;", "nobody sets a uniform block"),
            ("uniform float u_a\nvoid f() {}", "cannot be read"),
            ("uniform", "cannot be read"),
        ],
    )
    def test_what_cannot_be_read_is_told(self, text, words):
        assert [words in declared.wrong for declared in glsl.uniforms(text)] == [True]


def test_an_include_in_a_comment_includes_nothing(tmp_path):
    library = write(
        tmp_path, main__vert='/*\n#include "gone.glsl"\n*/\n// #include "gone.glsl"\nb\n'
    )
    assert library.load("main.vert").text.splitlines()[-1] == "b"


def test_an_empty_file_is_an_empty_shader(tmp_path):
    source = write(tmp_path, main__vert="").load("main.vert")
    assert source.text == "\n" and source.origin(1)[1] == 1


def test_an_overlay_may_be_a_single_file(tmp_path):
    own = tmp_path / "trail_colour.glsl"
    own.write_text("// mine\n")
    (tmp_path / "surface_colour.glsl").write_text("// not asked for\n")
    library = ShaderLibrary(own)
    text = library.load("field.frag").text
    assert "// mine" in text and "// not asked for" not in text
    assert library.own_files() == ["trail_colour.glsl"]
    (tmp_path / "ring.glsl").write_text("// in a folder\n")
    assert ShaderLibrary(tmp_path / "ring.glsl").find("lib/ring.glsl") == tmp_path / "ring.glsl"


def test_a_single_file_without_a_namesake_is_refused(tmp_path):
    (tmp_path / "trial.glsl").write_text("")
    with pytest.raises(UserError, match="replaces nothing"):
        ShaderLibrary(tmp_path / "trial.glsl")


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
    with pytest.raises(UserError, match=r"`shaders` .*nowhere"):
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


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_a_compilers_errors_are_told_in_the_users_lines(tmp_path, log):
    """Through three levels of includes, the offending line beside it, warnings and the errors
    that follow from the first left out."""
    library = write(
        tmp_path,
        main__frag='a\n#include "outer.glsl"\nb\n',
        main__vert="v\n",
        outer__glsl='\n#include "inner.glsl"\n',
        inner__glsl="\n  broken();  \n",
    )
    fragment = library.load("main.frag")  # its lines: a, (empty), (empty), broken, b
    (problem,) = explain(log, library.load("main.vert"), fragment)
    assert (problem.path, problem.line) == (tmp_path / "inner.glsl", 2)
    assert "undefined" in problem.text or "undeclared" in problem.text
    assert problem.code == "broken();"
    assert str(problem).startswith(f"{tmp_path / 'inner.glsl'}:2: ")


def test_errors_of_both_shaders_are_each_told_in_their_own(tmp_path):
    library = write(tmp_path, main__vert="v\nv2\n", main__frag="f\nf2\n")
    log = "An error occurred while compiling GLSL {} shader x:\nx:{}(1): error: {}\n"
    text = log.format("vertex", 2, "one") + log.format("fragment", 1, "two")
    problems = explain(text, library.load("main.vert"), library.load("main.frag"))
    assert [(p.path.name, p.line, p.text) for p in problems] == [
        ("main.vert", 2, "one"),
        ("main.frag", 1, "two"),
    ]


IN_PANDA = (
    ":display:gsg:glgsg(error): An error occurred while compiling GLSL fragment shader "
    "created-shader:\n"
)
IN_MODERNGL = "GLSL Compiler failed\n\nfragment_shader\n===============\n"


@pytest.mark.parametrize("header", [IN_PANDA, IN_MODERNGL], ids=["panda", "moderngl"])
@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param(log, said, id=name)
        for name, log, said in [
            ("mesa", "0:5(1): error: syntax error, unexpected end of file",
             "syntax error, unexpected end of file"),
            ("nvidia", '(0) : error C0000: syntax error, unexpected $end, expecting "::" at token '
             '"<EOF>"', 'syntax error, unexpected $end, expecting "::" at token "<EOF>"'),
            ("nvidia, with a file", "0(0) : error C0000: syntax error, unexpected end of file",
             "syntax error, unexpected end of file"),
            ("nvidia, behind the end", '0(9) : error C0000: syntax error, unexpected $end at token '
             '"<EOF>"', 'syntax error, unexpected $end at token "<EOF>"'),
            ("amd", "ERROR: 0:1: error(#131) Syntax error: pre-mature EOF parse error\n"
             "ERROR: error(#273) 1 compilation errors.  No code generated",
             "Syntax error: pre-mature EOF parse error"),
            ("intel", "ERROR: 0:-1: '' : syntax error, unexpected end of file",
             "'' : syntax error, unexpected end of file"),
            ("apple", "ERROR: 0:6: '<EOF>' : syntax error: syntax error",
             "'<EOF>' : syntax error: syntax error"),
            ("glslang", "ERROR: program.frag:6: '' :  syntax error, unexpected end of file\n"
             "ERROR: 1 compilation errors.  No code generated.",
             "'' :  syntax error, unexpected end of file"),
        ]
    ],
)  # fmt: skip
def test_a_text_that_ends_too_early_is_told_of_its_last_line(tmp_path, header, log, said):
    """Whatever line the compiler gives, if any: of what is empty there is none to mend."""
    files = {"main__frag": "#version 330\nbroken\n\n// the end\n", "main__vert": "v\n" * 9}
    library = write(tmp_path, **files)
    (problem,) = explain(header + log + "\n", library.load("main.vert"), library.load("main.frag"))
    assert str(problem) == f"{tmp_path / 'main.frag'}:2: {said}"
    assert problem.code == "broken"


@pytest.mark.parametrize(
    ("log", "where", "said"),
    [
        pytest.param(log, where, said, id=name)
        for name, log, where, said in [
            ("nvidia", "Vertex info\n-----------\n(0) : error C5145: must write to gl_Position\n",
             "main.vert:None", "must write to gl_Position"),
            ("nvidia, with a line", "Fragment info\n-------------\n0(2) : error C1503: undefined "
             'variable "v_b"\n', "main.frag:2", 'undefined variable "v_b"'),
            ("nvidia, versions", "Fragment info\n-------------\n(0) : error C2003: incompatible "
             "options for link\n", "main.frag:None", "incompatible options for link"),
            ("nvidia, varying", 'error: "v_a" not declared as an output from the previous stage\n',
             "main.frag:1", '"v_a" not declared as an output from the previous stage'),
            ("nvidia, the compiler itself", "Fragment info\n-------------\n0(0) : fatal error "
             "C9999: *** exception during compilation ***\n", "main.frag:None",
             "*** exception during compilation ***"),
            ("mesa", "error: fragment shader input `v_a' has no matching output in the previous "
             "stage\n", "main.frag:1",
             "fragment shader input `v_a' has no matching output in the previous stage"),
            ("amd", "Fragment shader(s) failed to link, vertex shader(s) failed to link.\n"
             "ERROR: error(#280) Not all shaders have valid object code.\n", "main.frag:None",
             "Not all shaders have valid object code."),
            ("intel", "error: the fragment shader uses varying v_a, but previous shader does not "
             "write to it.\n", "main.frag:None",
             "the fragment shader uses varying v_a, but previous shader does not write to it."),
            ("apple", "ERROR: Input of fragment shader 'v_a' not written by vertex shader\n",
             "main.frag:1", "Input of fragment shader 'v_a' not written by vertex shader"),
            ("glslang", "ERROR: Linking vertex stage: Missing entry point: Each stage requires one "
             "entry point\n", "main.vert:None",
             "Linking vertex stage: Missing entry point: Each stage requires one entry point"),
        ]
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "header",
    [":display:gsg:glgsg(error): An error occurred while linking GLSL shader created-shader:\n",
     "GLSL Linker failed\n\nProgram\n=======\n"],
    ids=["panda", "moderngl"],
)  # fmt: skip
def test_what_linkers_say_is_told_of_the_right_shader(tmp_path, header, log, where, said):
    files = {"main__vert": "void main() {}\n", "main__frag": "in vec4 v_a;\nx = v_b;\n"}
    library = write(tmp_path, **files)
    (problem,) = explain(header + log, library.load("main.vert"), library.load("main.frag"))
    assert (f"{problem.path.name}:{problem.line}", problem.text) == (where, said)


@pytest.mark.parametrize("log", ["error: too many varyings", "", "something else"])
def test_a_message_without_a_line_still_names_a_file(tmp_path, log):
    source = write(tmp_path, main__frag="a\n").load("main.frag")
    (problem,) = explain(log, source, source)
    assert problem.path == tmp_path / "main.frag" and len(problem.text) > 3


class TestDefines:
    def test_stand_behind_the_version_and_do_not_shift_lines(self, tmp_path):
        write(tmp_path, main__frag="// first\n#version 330\nA\nB\n")
        library = ShaderLibrary(tmp_path, {"A": "1", "B": "vec3(2.0)"})
        source = library.load("main.frag")
        assert source.text.splitlines()[1:5] == [
            "#version 330", "#define A 1", "#define B vec3(2.0)", "A",
        ]  # fmt: skip
        assert source.origin(5) == (tmp_path / "main.frag", 3)
        assert str(source.origin(3)[0]) == "define A=1"

    def test_are_read_as_compilers_read_them(self):
        assert read_define("A") == ("A", "1")
        assert read_define("A=") == ("A", "")
        assert read_define("A_b1=x = y") == ("A_b1", "x = y")

    @pytest.mark.parametrize(
        "text", ["", "=1", "1A=2", "a b", "gl_X=1", "A__B", "A=\n", "A=é", "A=\\"]
    )
    def test_others_are_refused(self, text):
        with pytest.raises(UserError, match="`define`"):
            read_define(text)


@pytest.mark.rendering
@pytest.mark.parametrize(
    ("hook", "signature"),
    [
        ("trail_colour.glsl", "vec4 trail_colour(int mode, float age)"),  # fragment shader
        ("trail_width.glsl", "float trail_half_width(float age)"),  # vertex shader
    ],
)
def test_a_real_compilers_error_names_the_users_line(tmp_path, hook, signature):
    from calf_viz.hosts.moderngl.host import ModernglHost
    from calf_viz.hosts.setup import Setup

    body = f"// mine\n{signature} {{\n    return undefined_name;\n}}\n"
    (tmp_path / hook).write_text(body, encoding="utf-8")
    field = Heightfield(np.zeros((2, 2)), (-1.0, -1.0), (1.0, 1.0))
    with pytest.raises(UserError) as caught:
        colours = np.zeros((2, 4), np.uint8)
        ModernglHost(Setup(Scene(trail=4), colours, 1, field, ShaderLibrary(tmp_path)))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / hook}:3: ")
    assert re.search("undefined_name", message) and "\n" not in message


class TestIncludes:
    def test_are_found_beside_the_file_that_has_them_first(self, tmp_path: Path) -> None:
        (tmp_path / "lib").mkdir()
        library = write(tmp_path, main__vert='#include "lib/a.glsl"\n', b__glsl="top\n")
        (tmp_path / "lib" / "a.glsl").write_text('#include "b.glsl"\n#include "ring.glsl"\n')
        assert "top\n" in library.load("main.vert").text
        assert "ring_sample" in library.load("main.vert").text, "a shipped one beside it, so to say"
        (tmp_path / "lib" / "b.glsl").write_text("beside\n")
        text = library.load("main.vert").text
        assert "beside\n" in text and "top\n" not in text
        (tmp_path / "lib" / "b.glsl").write_text('#include "../c.glsl"\n')
        (tmp_path / "c.glsl").write_text("up, but not out\n")
        assert "up, but not out\n" in library.load("main.vert").text

    def test_by_several_names_are_one_file(self, tmp_path: Path) -> None:
        library = write(
            tmp_path, main__vert='#include "a.glsl"\n#include "./a.glsl"\n', a__glsl="a\n"
        )
        assert library.load("main.vert").text == "a\n"

    @pytest.mark.parametrize(
        "name", ["a\\\\b.glsl", "C:/a.glsl", "//host/a", "x/../../y", "é" * 900]
    )
    def test_of_names_that_no_file_here_has_are_told(self, tmp_path: Path, name: str) -> None:
        library = write(tmp_path, main__vert=f'\n#include "{name}"\n')
        with pytest.raises(UserError, match=r"main\.vert:2: ") as caught:
            library.load("main.vert")
        assert len(str(caught.value)) < 700

    def test_in_long_chains_are_told(self, tmp_path: Path) -> None:
        files = {f"f{i}__glsl": f'//\n#include "f{i + 1}.glsl"\n' for i in range(1100)}
        library = write(tmp_path, main__vert='#include "f0.glsl"\n', **files)
        with pytest.raises(UserError, match=r"f30\.glsl:2: more than 32 files that include each"):
            library.load("main.vert")
        files["f30__glsl"] = "end\n"
        assert write(tmp_path, **files).load("main.vert").text.endswith("end\n")

    def test_in_great_number_are_told(self, tmp_path: Path) -> None:
        library = write(tmp_path, main__vert='#include "a.glsl"\n' * 1001, a__glsl="a\n")
        with pytest.raises(UserError, match=r"main\.vert:1001: more than 1,000 includes"):
            library.load("main.vert")

    def test_that_are_too_much_together_are_told(self, tmp_path: Path) -> None:
        files = {f"f{i}__glsl": f"// {'x' * 50}\n" * 4000 for i in range(3)}
        main = "".join(f'#include "f{i}.glsl"\n' for i in range(3))
        library = write(tmp_path, main__vert=main, **files)
        with pytest.raises(UserError, match=r"f2\.glsl:\d+: with what it includes longer than"):
            library.load("main.vert")

    def test_that_are_misspelt_are_told_with_what_was_meant(self, tmp_path: Path) -> None:
        (tmp_path / "my").mkdir()
        (tmp_path / "my" / "noise.glsl").touch()
        for name, meant in (("nois.glsl", "my/noise.glsl"), ("rings.glsl", "lib/ring.glsl"),
                            ("NOISE.glsl", "my/noise.glsl"), ("surface_color.glsl", "surface_co"),
                            ("Trail_Width.glsl", "trail_width.glsl"), ("zzz", "")):  # fmt: skip
            library = write(tmp_path, main__vert=f'#include "{name}"\n')
            with pytest.raises(UserError) as caught:
                library.load("main.vert")
            assert (f"did you mean {meant}" in str(caught.value)) == bool(meant), str(caught.value)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=6, max_size=6))
    def test_of_any_graph_are_each_taken_once_or_told(
        self, tmp_path: Path, graph: list[list[int]]
    ) -> None:
        """A circle is one that a walk along the includes runs into."""
        for number, inner in enumerate(graph):
            lines = [f'#include "{i}.glsl"\n' for i in inner]
            (tmp_path / f"{number}.glsl").write_text("".join(lines) + f"end {number}\n")

        def walk(number: int, chain: list[int], order: list[int]) -> None:
            for inner in graph[number]:
                if inner in [*chain, number]:
                    raise RecursionError
                if inner not in order:
                    walk(inner, [*chain, number], order)
            order.append(number)

        order: list[int] = []
        try:
            walk(0, [], order)
        except RecursionError:
            with pytest.raises(UserError, match="include cycle"):
                ShaderLibrary(tmp_path).load("0.glsl")
            return
        source = ShaderLibrary(tmp_path).load("0.glsl")
        assert source.text == "".join(f"end {number}\n" for number in order)


class TestPlacesOfFiles:
    @pytest.mark.parametrize(
        ("make", "words"),
        [
            (os.mkfifo, "it is a pipe"),
            (lambda path: path.symlink_to(path), "cannot be read"),
            (lambda path: path.symlink_to("/dev/zero"), "it is a device"),
        ],
        ids=["pipe", "circle", "device"],
    )
    def test_what_cannot_be_read_in_a_shaders_place_is_told(self, tmp_path, make, words) -> None:
        make(tmp_path / "trail_colour.glsl")
        with pytest.raises(UserError, match=rf"trail_colour\.glsl: {words}"):
            ShaderLibrary(tmp_path).load("field.frag")

    @pytest.mark.parametrize(
        ("put", "words"),
        [
            (Path.mkdir, "it is a folder, not a regular file"),
            (lambda path: path.symlink_to("nothing"), "cannot be read"),
        ],
    )
    def test_a_folder_or_a_link_to_nothing_is_told(
        self, tmp_path: Path, put: Callable[[Path], None], words: str
    ) -> None:
        put(tmp_path / "trail_colour.glsl")
        with pytest.raises(UserError, match=rf"trail_colour\.glsl: {words}"):
            ShaderLibrary(tmp_path).load("field.frag")

    def test_a_look_that_becomes_a_file_is_told(self, tmp_path: Path) -> None:
        folder = tmp_path / "look"
        folder.mkdir()
        library = ShaderLibrary(folder)
        folder.rmdir()
        folder.touch()
        with pytest.raises(UserError, match="look: it is no folder any more; the last look stays"):
            library.check_overlay()

    def test_a_look_out_of_reach_is_told(self, tmp_path: Path, monkeypatch) -> None:
        folder = tmp_path / "look"
        folder.mkdir()
        library = ShaderLibrary(folder)
        library.check_overlay()

        def refused(path: Path, *rest: object, **options: object) -> os.stat_result:
            raise PermissionError(13, "Permission denied", str(path))

        with monkeypatch.context() as patched:
            patched.setattr(os, "stat", refused)
            with pytest.raises(UserError, match=r"look: it is out of reach \(Permission denied\)"):
                library.check_overlay()
        with monkeypatch.context() as patched:
            patched.setattr(os, "access", lambda path, mode: False)
            with pytest.raises(UserError, match=r"look: it is out of reach \(Permission denied\)"):
                library.check_overlay()
        folder.rmdir()
        with pytest.raises(UserError, match="look: it is gone; the last look stays"):
            library.check_overlay()

    def test_a_misspelt_single_file_is_told_with_what_was_meant(self, tmp_path: Path) -> None:
        (tmp_path / "surface_color.glsl").touch()
        with pytest.raises(UserError, match=r"replaces nothing: did you mean surface_colour\.glsl"):
            ShaderLibrary(tmp_path / "surface_color.glsl")


class TestWhatIsToldOfTheUsersFiles:
    """What has no line of its own in a compiler's log, or another file's."""

    FRAGMENT = "fragment_shader\n===============\n"

    def told(self, tmp_path: Path, log: str, **files: str) -> tuple[str, str]:
        library = write(tmp_path, **files)
        (problem,) = explain(log, library.load("field.vert"), library.load("field.frag"))
        return f"{problem.path.name}:{problem.line}", problem.text

    @pytest.mark.parametrize(
        ("first", "second", "said"),
        [
            ("float hash(vec2 p) { return p.x; }", "float hash(vec2 p) { return p.y; }",
             "function `hash' redefined"),
            ("const float PI = 3.1;", "const float PI = 3.14;", "`PI' redeclared"),
            ("#define PI 3.1", "#define PI 3.14", "Redefinition of macro PI"),
            ("uniform float u_x; // @slider 0..1", "uniform float u_x; // @slider 0..1",
             'C1038: declaration of "u_x" conflicts with previous declaration'),
            ("float hash(vec2 p) { return p.x; }", "float hash(vec2 p) { return p.y; }",
             "'hash' : function already has a body"),
            ("float hash(vec2 p) { return p.x; }", "float hash(vec2 p) { return p.y; }",
             "Function already has a body: hash"),
        ],
    )  # fmt: skip
    def test_names_in_two_hooks_are_told_with_what_to_do(
        self, tmp_path: Path, first: str, second: str, said: str
    ) -> None:
        files = {"surface_colour__glsl": f"{first}\n", "trail_colour__glsl": f"\n{second}\n"}
        source = write(tmp_path, **files).load("field.frag")
        line = source.origins.index((tmp_path / "trail_colour.glsl", 2)) + 1
        where, text = self.told(tmp_path, f"{self.FRAGMENT}0:{line}(7): error: {said}\n", **files)
        assert where == "trail_colour.glsl:2" and said in text
        assert "surface_colour.glsl:1 has it, too; put it in a file that both include" in text

    @pytest.mark.parametrize("how", ["overlay", "--define"])
    @pytest.mark.parametrize("word", ["vec4", "u_head", "float"])
    def test_a_macro_that_spoils_a_shipped_uniform_is_told_where_it_is(
        self, tmp_path: Path, how: str, word: str
    ) -> None:
        from calf_viz.glsl.programs import load_program

        write(
            tmp_path, surface_colour__glsl=f"\n#define {word} vec3\n" if how == "overlay" else "\n"
        )
        library = ShaderLibrary(tmp_path, {} if how == "overlay" else {word: "vec3"})
        with pytest.raises(ShaderError) as error:
            load_program(library, "field")
        told = {(p.path.name, p.line) for p in error.value.problems}
        assert told == {
            ("surface_colour.glsl", 2) if how == "overlay" else (f"define {word}=vec3", 1)
        }
        assert f"{word} stands in contract.glsl:" in str(error.value)
        assert "choose another name" in str(error.value)

    def test_a_macro_that_spoils_any_other_line_is_told_as_well(self, tmp_path: Path) -> None:
        files = {"surface_colour__glsl": "\n#define mix 3\n"}
        source = write(tmp_path, **files).load("field.frag")
        line = next(
            n for n, (path, _) in enumerate(source.origins, 1)
            if not source.is_overlays(path) and "mix(" in source.code[n - 1]
        )  # fmt: skip
        where, text = self.told(
            tmp_path, f"{self.FRAGMENT}0:{line}(7): error: syntax error\n", **files
        )
        path, number = source.origin(line)
        assert where == "surface_colour.glsl:2"
        assert text == f"mix stands in {path.name}:{number}, too: syntax error; choose another name"

    def test_what_follows_in_shipped_files_is_not_told(self) -> None:
        source = ShaderLibrary(None, {"vec4": "vec3"}).load("hud.frag")
        first = next(n for n, code in enumerate(source.code, 1) if n > 2 and "vec4" in code)
        other = next(n for n in range(first, 999) if "vec4" not in source.code[n - 1])
        log = f"{self.FRAGMENT}0:{other}(7): error: swizzle\n0:{first}(7): error: wrong type\n"
        (problem,) = explain(log, ShaderLibrary().load("hud.vert"), source)
        assert str(problem.path) == "define vec4=vec3" and "wrong type" in problem.text

    def test_conditions_within_each_other_are_bounded_across_files(self, tmp_path: Path) -> None:
        deep = "#if 1\n" * 30 + "{}\n" + "#endif\n" * 30
        write(
            tmp_path, a__glsl=deep.format("float a;"), main__frag=deep.format('#include "a.glsl"')
        )
        with pytest.raises(ShaderError, match=r"a\.glsl:21: more than 50 #if within each other"):
            ShaderLibrary(tmp_path).load("main.frag")
        write(tmp_path, main__frag=deep.format("float a;") + '#include "a.glsl"\n')
        assert ShaderLibrary(tmp_path).load("main.frag").text.count("float a;") == 2

    def test_a_line_that_a_message_names_is_the_users_too(self, tmp_path: Path) -> None:
        files = {
            "surface_colour__glsl": "float hash(vec2 p) { return p.x; }\n\n\n"
            "float hash(vec2 p) { return p.y; }\n"
        }
        source = write(tmp_path, **files).load("field.frag")
        first, second = (
            source.origins.index((tmp_path / "surface_colour.glsl", n)) + 1 for n in (1, 4)
        )
        log = f'0({second}) : error C1013: function "hash" is already defined at 0({first})\n'
        where, said = self.told(tmp_path, self.FRAGMENT + log, **files)
        assert where == "surface_colour.glsl:4"
        assert said == 'function "hash" is already defined at surface_colour.glsl:1'

    @pytest.mark.parametrize(
        "said",
        [
            "0:{}(7): error: no function with name `trail_colour'",
            "0:{}(7): error: no matching function for call to `trail_colour(vec3, float)'",
            '0({}) : error C1115: unable to find compatible overloaded function "trail_colour(f)"',
            '0({}) : error C1503: undefined variable "trail_colour"',
            "ERROR: 0:{}: error(#202) No matching overloaded function found: trail_colour",
            "ERROR: 0:{}: 'trail_colour' : no matching overloaded function found",
            "ERROR: 0:{}: No matching function for call to trail_colour(vec3, float)",
            "ERROR: 0:{}: Invalid call of undeclared identifier 'trail_colour'",
        ],
    )
    def test_a_hook_that_lacks_its_function_is_told_in_every_compilers_words(
        self, tmp_path: Path, said: str
    ) -> None:
        source = write(tmp_path, trail_colour__glsl="float other;\n").load("field.frag")
        line = next(
            n for n, (path, _) in enumerate(source.origins, 1)
            if path.name == "field.frag" and "trail_colour(" in source.line(n)
        )  # fmt: skip
        log = self.FRAGMENT + said.format(line) + "\n"
        where, text = self.told(tmp_path, log, trail_colour__glsl="float other;\n")
        assert where == "trail_colour.glsl:None"
        assert text.startswith("defines no trail_colour as it is called: ")

    def test_names_of_shipped_files_are_told_where_they_were_taken(self, tmp_path: Path) -> None:
        files = {"surface_colour__glsl": "\nfloat trail_profile(float a) { return a; }\n"}
        source = write(tmp_path, **files).load("field.frag")
        shipped = shader_folder() / "trail_profile.glsl"
        line = next(
            i for i, o in enumerate(source.origins, 1)
            if o[0] == shipped and "float trail_profile" in source.line(i)
        )  # fmt: skip
        log = f"{self.FRAGMENT}0:{line}(7): error: function `trail_profile' redefined\n"
        where, text = self.told(tmp_path, log, **files)
        assert where == "surface_colour.glsl:2" and "choose another name" in text

    @pytest.mark.parametrize(
        "log",
        [
            f"{FRAGMENT}0:0(0): error: fragment shader writes to `gl_FragColor' and `o_colour'",
            "GLSL Linker failed\n\nProgram\n=======\nerror: unresolved reference to `gl_FragColor'",
            ":display:gsg:glgsg(error): An error occurred while linking GLSL shader x\n"
            "error: unresolved reference to function `gl_FragColor'\n",
        ],
    )
    def test_names_without_a_line_are_told_where_the_overlay_has_them(
        self, tmp_path: Path, log: str
    ) -> None:
        text = "// gl_FragColor\nvoid f() {\n    gl_FragColor = vec4(1.0);\n}\n"
        where, said = self.told(tmp_path, log, surface_colour__glsl=text)
        assert where == "surface_colour.glsl:3" and "gl_FragColor" in said
        assert not said.startswith("error")

    def test_what_names_nothing_is_told_of_the_overlays_file(self, tmp_path: Path) -> None:
        log = ":shader(error): all shaders must use the same version\n"
        where, said = self.told(tmp_path, log, field__frag="#version 300 es\n")
        assert (where, said) == ("field.frag:None", "all shaders must use the same version")

    def test_a_log_of_any_length_is_read_in_one_go(self, tmp_path: Path) -> None:
        library = write(tmp_path, surface_colour__glsl="x\n" * 4000)
        source = library.load("field.frag")
        begin = source.origins.index((tmp_path / "surface_colour.glsl", 1)) + 1
        log = self.FRAGMENT + "".join(
            f"0:{begin + i}(1): error: {'`' * 5000} x undeclared\n" for i in range(4000)
        )
        problems = explain(log, library.load("field.vert"), source)
        assert [p.line for p in problems] == list(range(1, 51))


class TestTexts:
    """What compilers get of a program."""

    def test_differ_by_stage_and_keep_their_lines(self, tmp_path: Path) -> None:
        from calf_viz.glsl.programs import load_program

        same = (shader_folder() / "ring_copy.vert").read_text()
        write(tmp_path, hud__vert=same, hud__frag=same)
        source = load_program(ShaderLibrary(tmp_path), "hud")
        vertex, fragment = source.texts
        assert source.vertex.text == source.fragment.text and vertex != fragment
        assert vertex.startswith("#version") and fragment.startswith("#version")
        assert vertex.startswith(source.vertex.text) and "//" not in vertex.splitlines()[-1]
        again = replace(source, vertex=replace(source.vertex, text=vertex))
        assert again.texts == (vertex, fragment)

    def test_begin_with_a_line_that_no_host_takes_away(self, tmp_path: Path) -> None:
        from calf_viz.glsl.programs import load_program

        write(
            tmp_path, hud__vert="\n \n#version 330\nvoid main() {}\n", hud__frag=" #version 330\n"
        )
        vertex, fragment = load_program(ShaderLibrary(tmp_path), "hud").texts
        assert vertex.splitlines()[:3] == ["//", " ", "#version 330"]
        assert fragment.startswith(" #version 330\n")
