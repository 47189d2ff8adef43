"""GLSL's preprocessor: evaluates conditions and expands macros, keeping each line in place.

Declarations can be compared and types inferred only in preprocessed text. Lines keep their number,
so that `Source.origin` still tells where they came from; a macro's text is on the line of its use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from calf_viz.glsl.directives import Macro, definition, directive

MOST_TOKENS = 2**17
"""Tokens that macros may expand to: handwritten shaders have a few thousand."""
DEEPEST = 50
"""Deepest nesting of conditions, macros, or brackets in a condition."""

_COMMENT = re.compile(r"//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_DONE = "\x01"  # before a name that stays, as it was in its own macro
_TOKEN = re.compile(r"\x01?[A-Za-z_]\w*|\.?\d(?:[eE][+-]|[\w.])*|##|\s+|.", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_]\w*")
_CONDITION = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|\w+|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%<>&^|!~()])"
)
_KEPT = ("version", "extension", "pragma")
_BINARY = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"),
    ("+", "-"), ("*", "/", "%"),
)  # fmt: skip


class PreprocessorError(ValueError):
    """Text that the preprocessor cannot follow; `line` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line, self.text = line, text


def decided(text: str, predefined: Mapping[str, str]) -> str:
    """The text without comments, conditions and the parts they exclude; macros stay as they are.

    predefined: macros that the compiler defines, such as `__VERSION__`. Raises PreprocessorError.
    """
    return "\n".join(line for line, _ in _Preprocessor(predefined, keep=True).run(text))


def expanded(text: str, predefined: Mapping[str, str]) -> str:
    """As `decided`, with macros expanded; of the directives, #version, #extension and #pragma stay.

    Raises PreprocessorError.
    """
    return "\n".join(line for line, _ in _Preprocessor(predefined, keep=False).run(text))


def _uncommented(text: str) -> str:
    """The text with a blank for each comment, as in the language: same lines, other columns. After
    a comment that spans several lines of a directive, the directive still spans them."""

    def blank(match: re.Match[str]) -> str:
        breaks = match[0].count("\n")
        start = text.rfind("\n", 0, match.start()) + 1
        directive = text[start : match.start()].lstrip().startswith("#")
        return " " + ("\\\n" if directive else "\n") * breaks

    return _COMMENT.sub(blank, text)


class _Group:
    """An #if with its branches: whether the current one is read, and whether an earlier one was."""

    def __init__(self, line: int, outer: bool, holds: bool) -> None:
        self.line, self.outer = line, outer
        self.live = outer and holds
        self.taken = holds
        self.closed = False  # by #else


class _Preprocessor:
    def __init__(self, predefined: Mapping[str, str], keep: bool) -> None:
        self.keep = keep
        self.macros = {name: Macro(None, value) for name, value in predefined.items()}
        self.groups: list[_Group] = []
        self.tokens = 0
        self.depth = 0
        self.line = 1

    def run(self, text: str) -> Iterator[tuple[str, int]]:
        """Each output line, and its number."""
        pending: list[str] = []  # lines of code not interrupted by a directive
        lines = _uncommented(text).split("\n")
        at = 0
        while at < len(lines):
            end = at + 1
            while lines[end - 1].endswith("\\") and end < len(lines):
                end += 1
            logical = "".join(line.removesuffix("\\") for line in lines[at : end - 1])
            logical += lines[end - 1]
            found = directive(logical)
            if found is None:
                live = not self.groups or self.groups[-1].live
                pending += [logical if live else "", *[""] * (end - at - 1)]
            else:
                yield from self._code(pending, at - len(pending) + 1)
                pending = []
                self.line = at + 1
                kept = self._directive(found[0], found[1].strip())
                yield logical.strip() if kept else "", self.line
                yield from (("", number) for number in range(at + 2, end + 1))
            at = end
        yield from self._code(pending, at - len(pending) + 1)
        if self.groups:
            raise PreprocessorError(self.groups[-1].line, "this condition has no #endif")

    def _error(self, text: str) -> PreprocessorError:
        return PreprocessorError(self.line, text)

    def _code(self, lines: list[str], first: int) -> Iterator[tuple[str, int]]:
        self.line = first
        if not self.keep and lines:
            lines = self._expanded("\n".join(lines)).split("\n")
        yield from ((line, first + i) for i, line in enumerate(lines))

    def _directive(self, name: str, rest: str) -> bool:
        """Execute a directive; whether its line stays."""
        live = not self.groups or self.groups[-1].live
        if name in ("if", "ifdef", "ifndef"):
            if len(self.groups) >= DEEPEST:
                raise self._error(f"conditions are nested more than {DEEPEST} deep")
            self.groups.append(_Group(self.line, live, live and self._holds(name, rest)))
        elif name in ("elif", "else", "endif"):
            self._go_on(name, rest)
        elif live and name == "define":
            self._define(rest)
            return self.keep
        elif live and name == "undef":
            self.macros.pop(rest, None)
            return self.keep
        elif live and name == "error":
            raise self._error(f"#error {rest[:100]}")
        else:
            return live and name in _KEPT
        return False

    def _go_on(self, name: str, rest: str) -> None:
        if not self.groups:
            raise self._error(f"#{name} without #if")
        group = self.groups[-1]
        if name == "endif":
            self.groups.pop()
            return
        if group.closed:
            raise self._error(f"#{name} after #else")
        group.closed = name == "else"
        open_ = group.outer and not group.taken
        holds = open_ and (name == "else" or self._holds("if", rest))
        group.live = holds
        group.taken |= holds

    def _define(self, rest: str) -> None:
        found = definition(rest)
        if found is None:
            raise self._error("#define without a name")
        name, macro = found
        self.macros[name] = macro

    # Macros

    def _expanded(self, text: str) -> str:
        return self._expand(text, frozenset()).replace(_DONE, "")

    def _expand(self, text: str, hidden: frozenset[str]) -> str:
        """Text with macros expanded, except those `hidden`: no macro is expanded within itself."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"macros are nested more than {DEEPEST} deep")
        tokens = _TOKEN.findall(text)
        out: list[str] = []
        at = 0
        while at < len(tokens):
            token = tokens[at]
            at += 1
            macro = self.macros.get(token)
            if macro is None:
                self.line += token.count("\n") if not hidden else 0
                out.append(token)
                continue
            if token in hidden:
                out.append(_DONE + token)
                continue
            body, breaks = macro.body, 0
            if macro.parameters is not None:
                found = self._arguments(tokens, at)
                if found is None:  # its name alone is not a call
                    out.append(token)
                    continue
                arguments, at, breaks = found
                body = self._with_arguments(token, macro, arguments, hidden)
            body = re.sub(r"\s*##\s*", "", body)
            self._count(body)
            out.append(self._expand(body, hidden | {token}) + "\n" * breaks)
            self.line += breaks
        self.depth -= 1
        return "".join(out)

    def _count(self, body: str) -> None:
        self.tokens += 1 + len(body) // 4
        if self.tokens > MOST_TOKENS:
            raise self._error(f"macros expand to more than {MOST_TOKENS:,} tokens")

    def _arguments(self, tokens: list[str], at: int) -> tuple[list[str], int, int] | None:
        """(arguments, end, line breaks within) of a call whose name ends before `at`."""
        breaks = 0
        while at < len(tokens) and tokens[at].isspace():
            breaks += tokens[at].count("\n")
            at += 1
        if at >= len(tokens) or tokens[at] != "(":
            return None
        arguments, depth = [""], 0
        for end in range(at, len(tokens)):
            token = tokens[end]
            breaks += token.count("\n")
            depth += (token == "(") - (token == ")")
            if depth == 0:
                return [argument.strip() for argument in arguments], end + 1, breaks
            if token == "," and depth == 1:
                arguments.append("")
            elif end > at:
                arguments[-1] += token.replace("\n", " ")
        raise self._error("the arguments of a macro have no end")

    def _with_arguments(
        self, name: str, macro: Macro, arguments: list[str], hidden: frozenset[str]
    ) -> str:
        parameters = macro.parameters or ()
        if len(arguments) != max(len(parameters), 1) or (not parameters and arguments[0]):
            raise self._error(f"{name[:50]} takes {len(parameters)} arguments")
        line = self.line
        values = {p: self._expand(a, hidden) for p, a in zip(parameters, arguments, strict=False)}
        self.line = line
        return "".join(values.get(token, token) for token in _TOKEN.findall(macro.body))

    # Conditions

    def _holds(self, name: str, rest: str) -> bool:
        if name in ("ifdef", "ifndef"):
            if not _NAME.fullmatch(rest):
                raise self._error(f"#{name} takes one name")
            return (rest in self.macros) == (name == "ifdef")
        known = re.sub(
            r"\bdefined\b\s*(?:\(\s*(\w+)\s*\)|(\w+))",
            lambda match: " 1 " if (match[1] or match[2]) in self.macros else " 0 ",
            rest,
        )
        return _Condition(self._expanded(known), self._error).value != 0


class _Condition:
    """The value of an #if. A name that is not a macro counts as 0, as in Mesa."""

    def __init__(self, text: str, error: Callable[[str], PreprocessorError]) -> None:
        self._error = error
        self._tokens: list[str] = []
        at, text = 0, text.strip()
        while at < len(text):
            match = _CONDITION.match(text, at)
            if match is None:
                raise self._wrong()
            self._tokens.append(match[1])
            at = match.end()
        self._at, self._depth = 0, 0
        self.value = self._binary(0)
        if self._at < len(self._tokens):
            raise self._wrong()

    def _wrong(self) -> PreprocessorError:
        return self._error("this condition cannot be read")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._wrong()
        self._at += 1
        return self._tokens[self._at - 1]

    def _binary(self, level: int) -> int:
        if level == len(_BINARY):
            return self._unary()
        value = self._binary(level + 1)
        while self._at < len(self._tokens) and self._tokens[self._at] in _BINARY[level]:
            value = self._apply(self._next(), value, self._binary(level + 1))
        return value

    def _apply(self, operator: str, a: int, b: int) -> int:
        if operator in ("/", "%"):
            if b == 0:
                raise self._wrong()
            quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
            return quotient if operator == "/" else a - quotient * b
        if operator in ("<<", ">>"):
            b &= 31
        value = {
            "||": lambda: a != 0 or b != 0, "&&": lambda: a != 0 and b != 0, "|": lambda: a | b,
            "^": lambda: a ^ b, "&": lambda: a & b, "==": lambda: a == b, "!=": lambda: a != b,
            "<": lambda: a < b, ">": lambda: a > b, "<=": lambda: a <= b, ">=": lambda: a >= b,
            "<<": lambda: a << b, ">>": lambda: a >> b, "+": lambda: a + b, "-": lambda: a - b,
            "*": lambda: a * b,
        }[operator]()  # fmt: skip
        return (int(value) + 2**31) % 2**32 - 2**31

    def _unary(self) -> int:
        token = self._next()
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._wrong()
        try:
            if token == "(":
                value = self._binary(0)
                if self._next() != ")":
                    raise self._wrong()
                return value
            if token in ("!", "-", "+", "~"):
                value = self._unary()
                return {"!": int(value == 0), "-": -value, "+": value, "~": ~value}[token]
        finally:
            self._depth -= 1
        if token[0].isdigit():
            return self._number(token)
        if token[0].isalpha() or token[0] == "_":
            return 0
        raise self._wrong()

    def _number(self, token: str) -> int:
        text = token.rstrip("uU")
        try:
            return int(text, 8 if text[:1] == "0" and text[1:].isdigit() else 0)
        except ValueError:
            raise self._wrong() from None
