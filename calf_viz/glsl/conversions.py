"""Implicit conversions written out: `x * 2` becomes `x * float(2)`, as GLSL ES requires.

GLSL 3.30 converts integers to floats implicitly, GLSL ES never does. Conversions depend on types
alone, so expressions are parsed far enough to know these. Anything that cannot be parsed, or whose
type is unknown, stays as it is: compilers then report it.
"""

from __future__ import annotations

from collections.abc import Callable

from calf_viz.glsl.expressions import ExpressionReader, Function, Unreadable
from calf_viz.glsl.glsl_types import UNKNOWN

_QUALIFIERS = frozenset((
    "const", "in", "out", "inout", "uniform", "flat", "smooth", "noperspective", "centroid",
    "invariant", "highp", "mediump", "lowp",
))  # fmt: skip


def written_out(text: str) -> str:
    """The text, which has no macros or conditions, with its implicit conversions written out."""
    return _Reader(text).read()


class _Reader(ExpressionReader):
    """Reads declarations and statements."""

    returned = UNKNOWN
    """Return type of the function being read."""

    def read(self) -> str:
        while self.at < len(self.tokens):
            start = self.at
            try:
                self._global()
            except Unreadable:
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
        """Skip the declaration or function that begins there."""
        depth, self.at = 0, start
        while self.at < len(self.tokens):
            token = self.tokens[self.at].text
            self.at += 1
            depth += (token == "{") - (token == "}")
            if depth <= 0 and token in ("}", ";"):
                return

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
                raise Unreadable
        return name + self._sizes()

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
        """An interface block; if it has no name, its members are in scope themselves."""
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
        function = Function(type_, tuple(parameters))
        if function not in self.functions[name]:
            self.functions[name].append(function)
        if self._take(";"):
            return
        if self._peek() != "{":
            raise Unreadable
        self.scopes.append(names)
        self.returned = type_
        self._statement()
        self.scopes.pop()

    def _declarators(self, type_: str) -> None:
        """`a, b[2], c = 1;` after the type."""
        while not self._take(";"):
            name = self._name()
            own = type_ + self._sizes()
            if self._take("="):
                if self._peek() == "{":
                    raise Unreadable
                self._convert(self._assignment(), own)
            self.scopes[-1][name] = own
            if self._peek() != ";":
                self._expect(",")

    # Statements

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
