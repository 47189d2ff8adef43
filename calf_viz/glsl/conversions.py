"""Implicit conversions written out: `x * 2` becomes `x * float(2)`, as GLSL ES wants it.

GLSL 3.30 turns integers into floats by itself, GLSL ES never does. What is converted depends on
types alone, so expressions are read far enough to know them. What cannot be read, or has a type
that is not known, stays as it is: compilers then tell.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from calf_viz.glsl import glsl_types
from calf_viz.glsl.glsl_types import UNKNOWN

DEEPEST = 60
"""Brackets, or statements, within each other."""

_TOKEN = re.compile(
    r"(?P<name>[A-Za-z_]\w*)"
    r"|(?P<float>(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|\d+[eE][+-]?\d+[fF]?|\d+[fF](?!\w))"
    r"|(?P<int>0[xX][0-9a-fA-F]+[uU]?|\d+[uU]?)"
    r"|(?P<operator><<=|>>=|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||\^\^|[-+*/%&|^]=|[^\s\w])"
)
_DIRECTIVE = re.compile(r"^[ \t]*#.*", re.MULTILINE)
_QUALIFIERS = frozenset((
    "const", "in", "out", "inout", "uniform", "flat", "smooth", "noperspective", "centroid",
    "invariant", "highp", "mediump", "lowp",
))  # fmt: skip
_ASSIGNMENTS = frozenset(("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="))
_PRECEDENCE = {
    "||": 1, "^^": 2, "&&": 3, "|": 4, "^": 5, "&": 6, "==": 7, "!=": 7, "<": 8, ">": 8, "<=": 8,
    ">=": 8, "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11,
}  # fmt: skip
_COMPARED = ("==", "!=", "<", ">", "<=", ">=")


def written_out(text: str) -> str:
    """The text, which has no macros or conditions, with its implicit conversions written out."""
    return _Reader(text).read()


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class _Unreadable(Exception):
    """Text that is none, or that is not known here."""


class _Value(NamedTuple):
    """An expression: its type, its first and its last token."""

    type: str
    first: int
    last: int


class _Function(NamedTuple):
    type: str
    parameters: tuple[str, ...]


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        code = _DIRECTIVE.sub(lambda match: " " * len(match[0]), text)
        self.tokens = [
            _Token(match.lastgroup or "", match[0], match.start(), match.end())
            for match in _TOKEN.finditer(code)
        ]
        self.at = 0
        self.depth = 0
        self.returned = UNKNOWN
        self.scopes: list[dict[str, str]] = [dict(glsl_types.VARIABLES)]
        self.structs: dict[str, dict[str, str]] = {}
        self.functions: defaultdict[str, list[_Function]] = defaultdict(list)
        self.before: defaultdict[int, list[str]] = defaultdict(list)  # by the index of a token
        self.behind: defaultdict[int, int] = defaultdict(int)

    def read(self) -> str:
        while self.at < len(self.tokens):
            start = self.at
            try:
                self._global()
            except _Unreadable:
                # Half of a function converted would be worse than none.
                for index in range(start, min(self.at + 1, len(self.tokens))):
                    self.before.pop(index, None)
                    self.behind.pop(index, None)
                del self.scopes[1:]
                self.depth = 0
                self._skip(start)
        return self._result()

    def _result(self) -> str:
        out, done = [], 0
        for index in sorted(self.before.keys() | self.behind.keys()):
            token = self.tokens[index]
            out += [self.text[done : token.start], *self.before.get(index, ())]
            out += [token.text, ")" * self.behind.get(index, 0)]
            done = token.end
        return "".join([*out, self.text[done:]])

    def _skip(self, start: int) -> None:
        """Behind the declaration or function that begins there."""
        depth, self.at = 0, start
        while self.at < len(self.tokens):
            token = self.tokens[self.at].text
            self.at += 1
            depth += (token == "{") - (token == "}")
            if depth <= 0 and token in ("}", ";"):
                return

    def _convert(self, value: _Value, asked: str) -> _Value:
        """The value as that type, where GLSL would convert it."""
        type_ = glsl_types.converted(value.type, asked)
        if not type_:
            return value
        self.before[value.first].insert(0, f"{type_}(")  # what is around it comes later
        self.behind[value.last] += 1
        return value._replace(type=type_)

    # Tokens

    def _peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at].text if at < len(self.tokens) else ""

    def _next(self) -> _Token:
        if self.at >= len(self.tokens):
            raise _Unreadable
        self.at += 1
        return self.tokens[self.at - 1]

    def _take(self, text: str) -> bool:
        if self._peek() != text:
            return False
        self.at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise _Unreadable

    def _name(self) -> str:
        token = self._next()
        if token.kind != "name":
            raise _Unreadable
        return token.text

    # Declarations

    def _global(self) -> None:
        if self._take(";"):
            return
        if self._peek() == "precision":
            self._skip(self.at)
            return
        self._qualifiers()
        if self._take(";"):  # a layout for all
            return
        type_ = self._type()
        if self._peek() == "{":
            self._block(type_)
        elif self._peek(1) == "(":
            self._function(type_)
        else:
            self._declarators(type_)

    def _qualifiers(self) -> None:
        while self._peek() in _QUALIFIERS or self._peek() == "layout":
            if self._next().text == "layout":
                self._expect("(")
                while self._next().text != ")":
                    pass

    def _type(self) -> str:
        if self._take("struct"):
            name = self._name() if self._peek() != "{" else f"struct {self.at}"
            self._expect("{")
            self.structs[name] = self._members()
        else:
            name = self._name()
            if not self._is_type(name) and self._peek() != "{":
                raise _Unreadable
        return name + self._sizes()

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

    def _members(self) -> dict[str, str]:
        members: dict[str, str] = {}
        self._deeper()
        while not self._take("}"):
            self._qualifiers()
            type_ = self._type()
            while True:
                name = self._name()
                members[name] = type_ + self._sizes()
                if not self._take(","):
                    break
            self._expect(";")
        self.depth -= 1
        return members

    def _block(self, name: str) -> None:
        """An interface block; its members are known by themselves where it has no name."""
        self._expect("{")
        members = self._members()
        if self._take(";"):
            self.scopes[0].update(members)
            return
        self.structs[name] = members
        instance = self._name()
        self.scopes[0][instance] = name + self._sizes()
        self._expect(";")

    def _function(self, type_: str) -> None:
        name = self._name()
        self._expect("(")
        parameters, names = [], dict[str, str]()
        if self._peek() == "void" and self._peek(1) == ")":
            self._next()
        while not self._take(")"):
            self._qualifiers()
            kind = self._type()
            if self._peek() not in (",", ")"):
                own = self._name()
                kind += self._sizes()
                names[own] = kind
            parameters.append(kind)
            if self._peek() != ")":
                self._expect(",")
        function = _Function(type_, tuple(parameters))
        if function not in self.functions[name]:
            self.functions[name].append(function)
        if self._take(";"):
            return
        if self._peek() != "{":
            raise _Unreadable
        self.scopes.append(names)
        self.returned = type_
        self._statement()
        self.scopes.pop()

    def _declarators(self, type_: str) -> None:
        """`a, b[2], c = 1;` behind the type."""
        while not self._take(";"):
            name = self._name()
            own = type_ + self._sizes()
            if self._take("="):
                if self._peek() == "{":
                    raise _Unreadable
                self._convert(self._assignment(), own)
            self.scopes[-1][name] = own
            if self._peek() != ";":
                self._expect(",")

    # Statements

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _Unreadable

    def _statement(self) -> None:
        self._deeper()
        word = self._peek()
        readers: dict[str, Callable[[], None]] = {
            "{": self._compound, "if": self._if, "for": self._for, "while": self._while,
            "do": self._do, "switch": self._while, "return": self._return,
        }  # fmt: skip
        if word in readers:
            if word != "{":
                self._next()
            readers[word]()
        elif word in ("break", "continue", "discard"):
            self._next()
            self._expect(";")
        elif word == "case":
            self._next()
            self._expression()
            self._expect(":")
        elif word == "default":
            self._next()
            self._expect(":")
        else:
            self._simple()
        self.depth -= 1

    def _compound(self) -> None:
        self._expect("{")
        self.scopes.append({})
        while not self._take("}"):
            self._statement()
        self.scopes.pop()

    def _simple(self) -> None:
        """A declaration, or an expression, with its semicolon."""
        if self._take(";"):
            return
        declares = self._peek() in _QUALIFIERS or self._peek() == "struct"
        bracket = self._peek(1) == "[" and self._is_type(self._peek())
        if not declares and self._is_type(self._peek()):
            index = self.at + 1
            declares = index < len(self.tokens) and self.tokens[index].kind == "name"
            if bracket:  # type[2] name, or an array's constructor
                while self._peek(index - self.at) not in ("]", ""):
                    index += 1
                declares = self._peek(index - self.at + 1) not in ("(", "[")
        if declares:
            self._qualifiers()
            self._declarators(self._type())
        else:
            self._expression()
            self._expect(";")

    def _if(self) -> None:
        self._condition()
        self._statement()
        if self._take("else"):
            self._statement()

    def _condition(self) -> None:
        self._expect("(")
        self._expression()
        self._expect(")")

    def _for(self) -> None:
        self._expect("(")
        self.scopes.append({})
        self._simple()
        if not self._take(";"):
            self._expression()
            self._expect(";")
        if self._peek() != ")":
            self._expression()
        self._expect(")")
        self._statement()
        self.scopes.pop()

    def _while(self) -> None:
        self._condition()
        self._statement()

    def _do(self) -> None:
        self._statement()
        self._expect("while")
        self._condition()
        self._expect(";")

    def _return(self) -> None:
        if self._take(";"):
            return
        self._convert(self._expression(), self.returned)
        self._expect(";")

    # Expressions

    def _expression(self) -> _Value:
        value = self._assignment()
        while self._take(","):
            value = self._assignment()._replace(first=value.first)
        return value

    def _assignment(self) -> _Value:
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

    def _choice(self) -> _Value:
        condition = self._binary(1)
        if not self._take("?"):
            return condition
        one = self._expression()
        self._expect(":")
        other = self._assignment()
        one = self._convert(one, other.type)
        other = self._convert(other, one.type)
        return _Value(one.type or other.type, condition.first, other.last)

    def _binary(self, least: int) -> _Value:
        value = self._unary()
        while (rank := _PRECEDENCE.get(self._peek(), 0)) >= least:
            operator = self._next().text
            value = self._operated(operator, value, self._binary(rank + 1))
        return value

    def _operated(self, operator: str, a: _Value, b: _Value) -> _Value:
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
        return _Value(type_, a.first, b.last)

    def _unary(self) -> _Value:
        first = self.at
        signs = 0
        while self._peek() in ("-", "+", "!", "~", "++", "--"):
            self._next()
            signs += 1
        value = self._postfix()
        return value._replace(first=first) if signs else value

    def _postfix(self) -> _Value:
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

    def _primary(self) -> _Value:
        first = self.at
        token = self._next()
        if token.text == "(":
            inner = self._expression()
            self._expect(")")
            return _Value(inner.type, first, self.at - 1)
        if token.kind == "float":
            return _Value("float", first, first)
        if token.kind == "int":
            return _Value("uint" if token.text[-1] in "uU" else "int", first, first)
        if token.kind != "name":
            raise _Unreadable
        if token.text in ("true", "false"):
            return _Value("bool", first, first)
        name = token.text
        if self._is_type(name):
            name += self._sizes()
        if self._take("("):
            type_ = self._called(name, self._arguments())
            return _Value(type_, first, self.at - 1)
        return _Value(self._lookup(name), first, first)

    def _lookup(self, name: str) -> str:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return UNKNOWN

    def _arguments(self) -> list[_Value]:
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

    def _called(self, name: str, values: list[_Value]) -> str:
        if name.endswith("[]"):
            for value in values:
                self._convert(value, name[:-2])
            return name
        if name in self.structs:
            for value, asked in zip(values, self.structs[name].values(), strict=False):
                self._convert(value, asked)
            return name
        if glsl_types.is_built_in(name):
            return name
        given = tuple(value.type for value in values)
        if name in self.functions:
            function = self._chosen(name, given)
            if function is None:
                return UNKNOWN
            for value, asked in zip(values, function.parameters, strict=True):
                self._convert(value, asked)
            return function.type
        type_, floats = glsl_types.call(name, given)
        for value, needed in zip(values, floats, strict=True):
            if needed:
                self._convert(value, glsl_types.as_float(value.type))
        return type_

    def _chosen(self, name: str, given: tuple[str, ...]) -> _Function | None:
        """The overload of these types: exactly, or the one that conversions reach."""
        reached = []
        for function in self.functions[name]:
            if function.parameters == given:
                return function
            if len(function.parameters) == len(given) and all(
                not have or have == asked or glsl_types.converted(have, asked)
                for have, asked in zip(given, function.parameters, strict=True)
            ):
                reached.append(function)
        return reached[0] if len(reached) == 1 else None
