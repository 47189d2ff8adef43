"""GLSL's expressions, parsed as far as needed to know their types, with implicit conversions
written out; `conversions` parses the code around them."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import NamedTuple

from calf_viz.glsl import glsl_types
from calf_viz.glsl.glsl_types import UNKNOWN

DEEPEST = 60
"""Deepest nesting of brackets or statements."""

_TOKEN = re.compile(
    r"(?P<name>[A-Za-z_]\w*)"
    r"|(?P<float>(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|\d+[eE][+-]?\d+[fF]?|\d+[fF](?!\w))"
    r"|(?P<int>0[xX][0-9a-fA-F]+[uU]?|\d+[uU]?)"
    r"|(?P<operator><<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||\^\^|[-+*/%&|^]=|[^\s\w])"
)
_DIRECTIVE = re.compile(r"^[ \t]*#.*", re.MULTILINE)
_ASSIGNMENTS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="))
_PRECEDENCE = {
    "||": 1, "^^": 2, "&&": 3, "|": 4, "^": 5, "&": 6, "==": 7, "!=": 7, "<": 8, ">": 8, "<=": 8,
    ">=": 8, "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11,
}  # fmt: skip
_COMPARED = ("==", "!=", "<", ">", "<=", ">=")


class Token(NamedTuple):
    """A word or sign: its kind as named in `_TOKEN`, its text, and its position."""

    kind: str
    text: str
    start: int
    end: int


class Unreadable(Exception):
    """Text that is no valid expression, or none known here."""


class Value(NamedTuple):
    """An expression: its type, its first and its last token."""

    type: str
    first: int
    last: int


class Function(NamedTuple):
    """The types that an overload returns and takes."""

    type: str
    parameters: tuple[str, ...]


class ExpressionReader:
    """Goes through a text's tokens and collects the text to insert around them.

    Attributes:
        at: index of the next token.
        depth: number of open brackets and statements.
        scopes: types of variables, the innermost scope last.
        structs, functions: those declared so far.
        before, behind: text to insert around a token, by its index.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        code = _DIRECTIVE.sub(lambda match: " " * len(match[0]), text)
        self.tokens = [
            Token(match.lastgroup or "", match[0], match.start(), match.end())
            for match in _TOKEN.finditer(code)
        ]
        self.at = 0
        self.depth = 0
        self.scopes: list[dict[str, str]] = [dict(glsl_types.VARIABLES)]
        self.structs: dict[str, dict[str, str]] = {}
        self.functions: defaultdict[str, list[Function]] = defaultdict(list)
        self.before: defaultdict[int, list[str]] = defaultdict(list)  # by the index of a token
        self.behind: defaultdict[int, int] = defaultdict(int)

    def _convert(self, value: Value, wanted: str) -> Value:
        """The value as that type, if GLSL would convert it."""
        type_ = glsl_types.converted(value.type, wanted)
        if not type_:
            return value
        self.before[value.first].insert(0, f"{type_}(")  # what is around it comes later
        self.behind[value.last] += 1
        return value._replace(type=type_)

    # Tokens

    def _peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].text if at < len(self.tokens) else ""

    def _next(self) -> Token:
        if self.at >= len(self.tokens):
            raise Unreadable
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self.at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise Unreadable

    def _name(self) -> str:
        token = self._next()
        if token.kind != "name":
            raise Unreadable
        return token.text

    def _is_type(self, name: str) -> bool:
        return glsl_types.is_built_in(name) or name in self.structs

    def _sizes(self) -> str:
        brackets = ""
        while self._take("["):
            if not self._take("]"):
                self._expression()
                self._expect("]")
            brackets += "[]"
        return brackets

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unreadable

    # Expressions

    def _expression(self) -> Value:
        value = self._assignment()
        while self._take(","):
            value = self._assignment()._replace(first=value.first)
        return value

    def _assignment(self) -> Value:
        self._deeper()
        value = self._choice()
        if self._peek() in _ASSIGNMENTS:
            operator = self._next().text
            given = self._assignment()
            scalar = glsl_types.parts(given.type)[1] == 1
            if operator == "=" or not (scalar and glsl_types.is_float(value.type)):
                self._convert(given, value.type)
            else:  # v *= 2: a number for every component
                self._convert(given, "float")
            value = value._replace(last=given.last)
        self.depth -= 1
        return value

    def _choice(self) -> Value:
        condition = self._binary(1)
        if not self._take("?"):
            return condition
        one = self._expression()
        self._expect(":")
        other = self._assignment()
        one = self._convert(one, other.type)
        other = self._convert(other, one.type)
        return Value(one.type or other.type, condition.first, other.last)

    def _binary(self, least: int) -> Value:
        value = self._unary()
        while (rank := _PRECEDENCE.get(self._peek(), 0)) >= least:
            operator = self._next().text
            value = self._operated(operator, value, self._binary(rank + 1))
        return value

    def _operated(self, operator: str, a: Value, b: Value) -> Value:
        type_ = "bool"
        if operator in _COMPARED or operator in ("+", "-", "*", "/"):
            if glsl_types.is_float(a.type):
                b = self._convert(b, glsl_types.as_float(b.type))
            elif glsl_types.is_float(b.type):
                a = self._convert(a, glsl_types.as_float(a.type))
            if operator not in _COMPARED:
                known = a.type and b.type
                type_ = glsl_types.arithmetic(operator, a.type, b.type) if known else UNKNOWN
        elif operator in ("<<", ">>"):
            type_ = a.type
        elif operator in ("%", "&", "|", "^"):
            type_ = (
                glsl_types.arithmetic(operator, a.type, b.type) if a.type and b.type else UNKNOWN
            )
        return Value(type_, a.first, b.last)

    def _unary(self) -> Value:
        first = self.at
        signs = 0
        while self._peek() in ("-", "+", "!", "~", "++", "--"):
            self._next()
            signs += 1
        value = self._postfix()
        return value._replace(first=first) if signs else value

    def _postfix(self) -> Value:
        value = self._primary()
        while True:
            if self._take("["):
                self._expression()
                self._expect("]")
                value = value._replace(type=glsl_types.element(value.type))
            elif self._take("."):
                value = value._replace(type=self._field(value.type, self._name()))
            elif self._peek() in ("++", "--"):
                self._next()
            else:
                return value._replace(last=self.at - 1)

    def _field(self, type_: str, name: str) -> str:
        if name == "length" and self._peek() == "(":
            self._next()
            self._expect(")")
            return "int"
        if type_ in self.structs:
            return self.structs[type_].get(name, UNKNOWN)
        return glsl_types.swizzled(type_, name)

    def _primary(self) -> Value:
        first = self.at
        token = self._next()
        if token.text == "(":
            inner = self._expression()
            self._expect(")")
            return Value(inner.type, first, self.at - 1)
        if token.kind == "float":
            return Value("float", first, first)
        if token.kind == "int":
            return Value("uint" if token.text[-1] in "uU" else "int", first, first)
        if token.kind != "name":
            raise Unreadable
        if token.text in ("true", "false"):
            return Value("bool", first, first)
        name = token.text
        if self._is_type(name):
            name += self._sizes()
        if self._take("("):
            type_ = self._called(name, self._arguments())
            return Value(type_, first, self.at - 1)
        return Value(self._lookup(name), first, first)

    def _lookup(self, name: str) -> str:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return UNKNOWN

    def _arguments(self) -> list[Value]:
        if self._take(")"):
            return []
        if self._peek() == "void" and self._peek(1) == ")":
            self.at += 2
            return []
        values = [self._assignment()]
        while self._take(","):
            values.append(self._assignment())
        self._expect(")")
        return values

    def _called(self, name: str, values: list[Value]) -> str:
        if name.endswith("[]"):
            for value in values:
                self._convert(value, name[:-2])
            return name
        if name in self.structs:
            for value, wanted in zip(values, self.structs[name].values(), strict=False):
                self._convert(value, wanted)
            return name
        if glsl_types.is_built_in(name):
            return name
        given = tuple(value.type for value in values)
        if name in self.functions:
            function = self._chosen(name, given)
            if function is None:
                return UNKNOWN
            for value, wanted in zip(values, function.parameters, strict=True):
                self._convert(value, wanted)
            return function.type
        type_, floats = glsl_types.call(name, given)
        for value, needed in zip(values, floats, strict=True):
            if needed:
                self._convert(value, glsl_types.as_float(value.type))
        return type_

    def _chosen(self, name: str, given: tuple[str, ...]) -> Function | None:
        """The overload for these types: an exact match, or one reached by conversions."""
        reached = []
        for function in self.functions[name]:
            if function.parameters == given:
                return function
            if len(function.parameters) == len(given) and all(
                not have or have == wanted or glsl_types.converted(have, wanted)
                for have, wanted in zip(given, function.parameters, strict=True)
            ):
                reached.append(function)
        return reached[0] if len(reached) == 1 else None
