"""GLSL's types: results of operators and built-in functions, and implicit conversions.

A type is its name, such as `vec3`, followed by `[]` for an array; "" if unknown. Only what GLSL
3.30 and GLSL ES 3.00 have in common is here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

UNKNOWN = ""
SCALARS = ("float", "int", "uint", "bool")
_PREFIX = {"float": "vec", "int": "ivec", "uint": "uvec", "bool": "bvec"}
_VECTOR = re.compile(r"([iub]?)vec([234])")
_MATRIX = re.compile(r"mat([234])(?:x([234]))?")
_SAMPLER = re.compile(r"([iu]?)sampler(2D|3D|Cube|2DArray)(Shadow)?")
_KIND = {"": "float", "i": "int", "u": "uint", "b": "bool"}
_SWIZZLES = re.compile(r"[xyzw]{1,4}|[rgba]{1,4}|[stpq]{1,4}")

VARIABLES = {
    "gl_FragCoord": "vec4", "gl_VertexID": "int", "gl_InstanceID": "int", "gl_Position": "vec4",
    "gl_PointSize": "float", "gl_FrontFacing": "bool", "gl_PointCoord": "vec2",
    "gl_FragDepth": "float",
}  # fmt: skip
_COMPONENTWISE = frozenset((
    "radians", "degrees", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "pow", "exp", "log", "exp2", "log2", "sqrt", "inversesqrt", "floor",
    "trunc", "round", "roundEven", "ceil", "fract", "mod", "mix", "step", "smoothstep", "normalize",
    "faceforward", "reflect", "refract", "dFdx", "dFdy", "fwidth", "modf",
))  # fmt: skip
_OF_INTEGERS_TOO = frozenset(("abs", "sign", "min", "max", "clamp"))
_RELATIONAL = frozenset((
    "lessThan", "lessThanEqual", "greaterThan", "greaterThanEqual", "equal", "notEqual",
))  # fmt: skip
_FIXED = {
    "length": "float", "distance": "float", "dot": "float", "cross": "vec3", "determinant": "float",
    "any": "bool", "all": "bool", "packHalf2x16": "uint", "unpackHalf2x16": "vec2",
    "packSnorm2x16": "uint", "unpackSnorm2x16": "vec2", "packUnorm2x16": "uint",
    "unpackUnorm2x16": "vec2",
}  # fmt: skip
_BITS = {"floatBitsToInt": "int", "floatBitsToUint": "uint", "intBitsToFloat": "float",
         "uintBitsToFloat": "float", "isnan": "bool", "isinf": "bool"}  # fmt: skip
# Float arguments of the texture functions, counted from 0.
_TEXTURES = {
    "texture": (1, 2), "textureProj": (1, 2), "textureLod": (1, 2), "textureProjLod": (1, 2),
    "textureGrad": (1, 2, 3), "textureProjGrad": (1, 2, 3), "textureOffset": (1, 3),
    "textureProjOffset": (1, 3), "textureLodOffset": (1, 2), "textureGradOffset": (1, 2, 3),
    "texelFetch": (), "texelFetchOffset": (),
}  # fmt: skip
_OTHERS = ("textureSize", "transpose", "inverse", "outerProduct", "matrixCompMult", "not")
FUNCTIONS = frozenset((
    *_COMPONENTWISE, *_OF_INTEGERS_TOO, *_RELATIONAL, *_FIXED, *_BITS, *_TEXTURES, *_OTHERS,
))  # fmt: skip
"""Names of all built-in functions of GLSL ES 3.00."""


def vector(scalar: str, size: int) -> str:
    """`ivec3` of `int` and 3; the scalar itself for 1."""
    return scalar if size == 1 else f"{_PREFIX[scalar]}{size}"


def parts(type_: str) -> tuple[str, int]:
    """(scalar, size) of a scalar or a vector, (UNKNOWN, 0) for others."""
    if type_ in SCALARS:
        return type_, 1
    match = _VECTOR.fullmatch(type_)
    return (_KIND[match[1]], int(match[2])) if match else (UNKNOWN, 0)


def matrix(type_: str) -> tuple[int, int] | None:
    """(columns, rows) of a matrix."""
    match = _MATRIX.fullmatch(type_)
    return (int(match[1]), int(match[2] or match[1])) if match else None


def is_built_in(name: str) -> bool:
    """Whether it is one of GLSL's own types."""
    known = name == "void" or parts(name)[1] > 0 or matrix(name) is not None
    return known or _SAMPLER.fullmatch(name) is not None


def as_float(type_: str) -> str:
    """The float type that an integer type converts to; UNKNOWN for other types."""
    scalar, size = parts(type_)
    return vector("float", size) if scalar in ("int", "uint") else UNKNOWN


def is_float(type_: str) -> bool:
    """Whether it is made of floats."""
    return parts(type_)[0] == "float" or matrix(type_) is not None


def converted(given: str, wanted: str) -> str:
    """`wanted` if GLSL 3.30 implicitly converts `given` to it, else UNKNOWN."""
    return wanted if wanted and given != wanted and as_float(given) == wanted else UNKNOWN


def element(type_: str) -> str:
    """Type of an element, by index, of an array, vector or matrix."""
    if type_.endswith("[]"):
        return type_[:-2]
    if shape := matrix(type_):
        return vector("float", shape[1])
    scalar, size = parts(type_)
    return scalar if size > 1 else UNKNOWN


def swizzled(type_: str, fields: str) -> str:
    """Type of a vector's components, by name."""
    scalar, size = parts(type_)
    return vector(scalar, len(fields)) if size > 1 and _SWIZZLES.fullmatch(fields) else UNKNOWN


def arithmetic(operator: str, a: str, b: str) -> str:
    """Type of `a operator b`, as `+`, `-`, `*`, `/`, both of floats or of the same integers."""
    first, second = matrix(a), matrix(b)
    if operator == "*" and first and second:
        columns, rows = second[0], first[1]
        return f"mat{columns}" if columns == rows else f"mat{columns}x{rows}"
    if first or second:
        if operator == "*" and first and parts(b)[1] > 1:
            return vector("float", first[1])
        if operator == "*" and second and parts(a)[1] > 1:
            return vector("float", second[0])
        return a if first else b
    return a if parts(a)[1] >= parts(b)[1] else b


def call(name: str, given: Sequence[str]) -> tuple[str, tuple[bool, ...]]:
    """A built-in function's return type, and which arguments must be floats, for these types."""
    floats = tuple(as_float(type_) != UNKNOWN for type_ in given)
    none = (False,) * len(given)
    types = [as_float(type_) or type_ for type_ in given]
    widest = max((t for t in types if parts(t)[1]), key=lambda t: parts(t)[1], default=UNKNOWN)
    size = parts(widest)[1]
    if name in _OF_INTEGERS_TOO and given and not any(is_float(type_) for type_ in given):
        return max(given, key=lambda t: parts(t)[1]), none
    if name in _COMPONENTWISE or name in _OF_INTEGERS_TOO:
        return widest, floats
    if name in _FIXED:
        return _FIXED[name], none if name.startswith(("unpack", "any", "all")) else floats
    if name in _BITS:
        scalar = _BITS[name]
        return vector(scalar, size) if size else UNKNOWN, none
    if name in _RELATIONAL:
        mixed = any(is_float(type_) for type_ in given)
        return vector("bool", size) if size else UNKNOWN, floats if mixed else none
    if name in _TEXTURES and given:
        match = _SAMPLER.fullmatch(given[0])
        found = UNKNOWN if match is None else vector(_KIND[match[1]], 1 if match[3] else 4)
        wanted = _TEXTURES[name]
        return found, tuple(floats[i] and i in wanted for i in range(len(given)))
    if name == "textureSize" and given:
        return {"sampler2D": "ivec2", "sampler3D": "ivec3"}.get(given[0], UNKNOWN), none
    if name in ("inverse", "matrixCompMult", "not") and given:
        return given[0], none
    if name == "transpose" and given and (shape := matrix(given[0])):
        rows, columns = shape
        return f"mat{columns}x{rows}" if columns != rows else given[0], none
    return UNKNOWN, none
