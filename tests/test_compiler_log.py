"""What compilers and linkers say, in every driver's words, told in the user's own lines."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from written_looks import write

from calf_viz.errors import UserError
from calf_viz.glsl.compiler_log import explain
from calf_viz.glsl.contract import PALETTE_COLOURS
from calf_viz.glsl.library import ShaderLibrary
from calf_viz.glsl.problems import ShaderError
from calf_viz.glsl.shipped_shaders import shader_folder
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


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_a_compilers_errors_are_reported_in_the_users_lines(tmp_path, log):
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


def test_errors_of_both_shaders_are_each_reported_in_their_own(tmp_path):
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
def test_a_text_that_ends_too_early_is_reported_at_its_last_line(tmp_path, header, log, said):
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
def test_what_linkers_say_is_reported_for_the_right_shader(tmp_path, header, log, where, said):
    files = {"main__vert": "void main() {}\n", "main__frag": "in vec4 v_a;\nx = v_b;\n"}
    library = write(tmp_path, **files)
    (problem,) = explain(header + log, library.load("main.vert"), library.load("main.frag"))
    assert (f"{problem.path.name}:{problem.line}", problem.text) == (where, said)


@pytest.mark.parametrize("log", ["error: too many varyings", "", "something else"])
def test_a_message_without_a_line_still_names_a_file(tmp_path, log):
    source = write(tmp_path, main__frag="a\n").load("main.frag")
    (problem,) = explain(log, source, source)
    assert problem.path == tmp_path / "main.frag" and len(problem.text) > 3


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
        colours = np.zeros((PALETTE_COLOURS, 4), np.uint8)
        ModernglHost(Setup(Scene(trail=4), colours, 1, field, ShaderLibrary(tmp_path)))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / hook}:3: ")
    assert re.search("undefined_name", message) and "\n" not in message


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
    def test_names_in_two_hooks_are_reported_with_what_to_do(
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
    def test_a_macro_that_spoils_a_shipped_uniform_is_reported_where_it_is(
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
        assert f"{word} is used in contract.glsl:" in str(error.value)
        assert "choose another name" in str(error.value)

    def test_a_macro_that_spoils_any_other_line_is_reported_as_well(self, tmp_path: Path) -> None:
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
        assert text == f"mix is also in {path.name}:{number}: syntax error; choose another name"

    def test_what_follows_in_shipped_files_is_not_reported(self) -> None:
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
    def test_a_hook_that_lacks_its_function_is_reported_in_every_compilers_words(
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

    def test_names_of_shipped_files_are_reported_where_they_were_taken(
        self, tmp_path: Path
    ) -> None:
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
    def test_names_without_a_line_are_reported_where_the_overlay_has_them(
        self, tmp_path: Path, log: str
    ) -> None:
        text = "// gl_FragColor\nvoid f() {\n    gl_FragColor = vec4(1.0);\n}\n"
        where, said = self.told(tmp_path, log, surface_colour__glsl=text)
        assert where == "surface_colour.glsl:3" and "gl_FragColor" in said
        assert not said.startswith("error")

    def test_what_names_nothing_is_reported_in_the_overlays_file(self, tmp_path: Path) -> None:
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
