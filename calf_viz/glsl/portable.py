"""Shaders for other compilers than the desktop's: GLSL ES 3.00 of WebGL 2, and GLSL 4.10 of macOS.

    #version 330 ─▶ conditions, macros ─▶ names ─▶ initialisers ─▶ conversions ─▶ #version 300 es

The shipped shaders and most looks need only the version and ES's precisions. The rest is for what
GLSL 3.30 allows and the others do not: integers in place of floats, names reserved there,
initialisers of globals that are not constant, old texture functions. Each line keeps its number, so
that `Source.origin` maps messages of the other compiler to the user's file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from calf_viz.glsl import glsl_types
from calf_viz.glsl.conversions import written_out
from calf_viz.glsl.preprocessor import expanded
from calf_viz.glsl.text import parts


@dataclass(frozen=True)
class Target:
    """A target language.

    Attributes:
        name: as in its specification.
        version: its #version.
        predefined: macros that its compilers define.
        is_es: whether it is GLSL ES, which converts nothing and has no default precisions.
    """

    name: str
    version: str
    predefined: dict[str, str] = field(hash=False)
    is_es: bool = False


WEBGL = Target("GLSL ES 3.00", "300 es", {"GL_ES": "1", "__VERSION__": "300"}, is_es=True)
"""WebGL 2, in browsers."""
MACOS = Target("GLSL 4.10", "410", {"__VERSION__": "410", "GL_core_profile": "1"})
"""The newest OpenGL on macOS."""
TARGETS = (WEBGL, MACOS)

_VERSION = re.compile(r"^[ \t]*#[ \t]*version\b.*$", re.MULTILINE)
_EXTENSION = re.compile(r"^[ \t]*#[ \t]*extension[ \t]+(\w+).*$", re.MULTILINE)
# Extensions from before 3.30 that are now part of every target here.
_PART_OF_IT = (
    "GL_ARB_explicit_attrib_location", "GL_ARB_shader_bit_encoding", "GL_ARB_uniform_buffer_object",
    "GL_ARB_shading_language_packing", "GL_ARB_texture_rectangle", "GL_ARB_gpu_shader5",
    "GL_OES_standard_derivatives", "GL_EXT_gpu_shader4", "GL_ARB_texture_gather",
)  # fmt: skip
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_SAMPLER = re.compile(r"\b[iu]?sampler\w+")
_FUNCTION = re.compile(r"\b[A-Za-z_]\w*\s+([A-Za-z_]\w*)\s*\(")
_OUTSIDE = re.compile(r"\b(?:uniform|in|out)\b[^;{()]*")
_LAYOUT = re.compile(r"\blayout\s*\([^()]*\)")
_MAIN = re.compile(r"\bvoid\s+main\s*\(\s*(?:void)?\s*\)\s*\{")
_RESERVED = frozenset((
    "sample", "patch", "subroutine", "resource", "coherent", "restrict", "readonly", "writeonly",
    "atomic_uint", "precise", "buffer", "shared", "samplerCubeArray", "samplerCubeArrayShadow",
    "isamplerCubeArray", "usamplerCubeArray",
))  # fmt: skip
"""Names that are free in 3.30 but reserved in a target."""
_BROWSERS = re.compile(r"__|^_?webgl_")
"""Names reserved by browsers."""
_PREDEFINED = ("__LINE__", "__FILE__", "__VERSION__")
_OF_OLD = {
    "texture2D": "texture", "texture2DLod": "textureLod", "texture2DProj": "textureProj",
    "texture2DProjLod": "textureProjLod", "texture2DGrad": "textureGrad", "texture3D": "texture",
    "textureCube": "texture", "textureCubeLod": "textureLod", "texture3DLod": "textureLod",
}  # fmt: skip


def portable(text: str, target: Target) -> str:
    """A shader's expanded text in another language, line by line.

    text: as for a desktop's compiler. Raises PreprocessorError, with its line, if conditions or
    macros cannot be followed.
    """
    code = expanded(text, target.predefined)
    code = _EXTENSION.sub(lambda match: "" if match[1] in _PART_OF_IT else match[0], code)
    code = _renamed(code, target)
    if target.is_es:
        code = written_out(_without_initialisers(code))
    return _headed(code, target)


def _headed(code: str, target: Target) -> str:
    """The code with the version, which ES requires in the first line, and ES's precisions."""
    lines = _VERSION.sub("", code).split("\n")
    if not lines[0].strip():  # code before #version is no shader; the compiler will say so
        lines[0] = f"#version {target.version}"
    if target.is_es:
        # Other floats are never narrower; samplers of float textures would be lowp.
        kinds = ["float", "int", *sorted({"sampler2D", *_SAMPLER.findall(code)})]
        stated = " ".join(f"precision highp {kind};" for kind in kinds)
        for index in range(1, len(lines)):
            if lines[index].strip() and not lines[index].lstrip().startswith("#"):
                lines[index] = f"{stated} {lines[index]}"
                break
    return "\n".join(lines)


def _renamed(code: str, target: Target) -> str:
    """The code without names reserved by the target; inputs, which hosts set by name, stay."""
    functions = set(_FUNCTION.findall(code))
    kept = {name for part in _OUTSIDE.findall(code) for name in _NAME.findall(part)}
    words = set(_NAME.findall(code))
    new = {old: now for old, now in _OF_OLD.items() if old in words and old not in functions}
    taken = _RESERVED & words - kept
    if target.is_es:  # which lets nobody define a built-in function
        taken |= _defined(code) & glsl_types.FUNCTIONS
        taken |= {name for name in words - kept if _BROWSERS.search(name)} - set(_PREDEFINED)
    for name in sorted(taken):
        number = 1
        stem = re.sub(r"__+|^_?webgl_", "_", name).rstrip("_")
        while (other := f"{stem}_{number}") in words:
            number += 1
        new[name] = other
    if not new:
        return code
    return _NAME.sub(lambda match: new.get(match[0], match[0]), code)


def _defined(code: str) -> set[str]:
    """Names of functions that the text declares or defines."""
    return {match[1] for match in _FUNCTION.finditer(code) if _is_outside(code, match.start())}


def _is_outside(code: str, at: int) -> bool:
    """Whether a position is outside functions: the brackets before it are closed."""
    return code.count("{", 0, at) == code.count("}", 0, at)


def _without_initialisers(code: str) -> str:
    """Moves initialisers of globals that are not constant to the start of main, and drops those of
    uniforms: hosts set these."""
    constants, moved, cuts = set[str](), list[str](), list[tuple[int, int]]()
    for start, end in _globals(code):
        statement = _LAYOUT.sub(lambda match: " " * len(match[0]), code[start:end])
        words = _NAME.findall(statement.partition("=")[0])
        if "const" in words:
            constants.update(words)
            continue
        for name, size, first, last in _initialised(statement):
            value = statement[first:last]
            if "uniform" in words:
                cuts.append((start + size, start + last))
            elif not _is_constant(value, constants):
                cuts.append((start + size, start + last))
                moved.append(f"{name} = {' '.join(value.split())};")
    main = _MAIN.search(code)
    out, done = [], 0
    for first, last in cuts:
        out += [code[done:first], "\n" * code.count("\n", first, last)]
        done = last
    text = "".join([*out, code[done:]])
    if not moved or main is None:
        return text if main is not None or not moved else code
    main = _MAIN.search(text)
    assert main is not None
    return text[: main.end()] + " " + " ".join(moved) + text[main.end() :]


def _is_constant(value: str, constants: set[str]) -> bool:
    known = {"true", "false", *constants} | (glsl_types.FUNCTIONS - {"dFdx", "dFdy", "fwidth"})
    return all(n in known or glsl_types.is_built_in(n) for n in _NAME.findall(value))


def _globals(code: str) -> Iterator[tuple[int, int]]:
    """(begin, end) of each statement outside functions that has an initialiser."""
    depth, start = 0, 0
    for match in re.finditer(r"[{};]|^[ \t]*#.*$", code, re.MULTILINE):
        character = match[0]
        if depth == 0 and character == ";" and "=" in code[start : match.start()]:
            yield start, match.start()
        depth += (character == "{") - (character == "}")
        if depth <= 0:
            depth, start = 0, match.end()


def _initialised(statement: str) -> Iterator[tuple[str, int, int, int]]:
    """(name, end of its declarator, begin and end of its value) of each name with an
    initialiser."""
    for first, last in parts(statement):
        equals = statement.find("=", first, last)
        if equals < 0:
            continue
        declared = statement[first:equals].rstrip()
        names = _NAME.findall(re.sub(r"\[[^\]]*\]", "", declared))
        if names:
            yield names[-1], first + len(declared), equals + 1, last
