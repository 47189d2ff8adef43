"""Estimates how long a text becomes once its macros are expanded, without expanding it.

    #define A x+x          A is 3 long
    #define B A-A          B is 7: sixteen such lines are a text of 200 000
    #define F(a) a*a       F(text) is 1 + 2 * text long, F(F(F(text))) 8 times the text and more

A macro's length is that of its own tokens and of the macros that it names; a call adds the length
of its arguments as often as the macro repeats them. This is computed once per macro, from the
inside out, so it takes time in proportion to the text. The estimate is on the safe side: for a name
with several definitions, such as in branches of an `#if`, it takes the longest, and for a name
pasted together or passed on, to be called elsewhere, the longest possible one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import zip_longest
from math import inf

from calf_viz.glsl.directives import definition, directive

LONGEST_LINE, LONGEST_TEXT = 2**15, 2**19
"""Characters, expanded: drivers crash on expressions of some ten thousand terms."""

_TOKEN = re.compile(r"\.?\d[\w.]*+|[A-Za-z_]\w*+|##|[(),#.]|[^\w\s#(),.]++|\w")
"""For counting text, not reproducing it: without blanks, other signs in one piece, and exponents,
in which a compiler may find a macro, apart."""
_WORD = re.compile(r"[A-Za-z_]\w*+")
_LONGEST_PASTED = 64
"""Longest name, in characters, that is checked for the parts it may be pasted together from."""
DEEPEST = 64
"""Deepest calls of macros in each other's arguments, which preprocessors rescan for each."""
_PASSED_ON = 16
"""Deepest nesting in which one name may be passed on by another."""
_PASTED = ""
"""Stands for a macro whose name is pasted together."""


@dataclass(frozen=True)
class Excess:
    """A text that macros make too long: number of the line, from 0, and a message."""

    line: int
    text: str


@lru_cache(maxsize=32)
def excess(code: tuple[str, ...]) -> Excess | None:
    """Where a text, given as lines without comments and continuations, expands to a line longer
    than LONGEST_LINE, or to a text longer than LONGEST_TEXT; None if it does not."""
    macros, text = _read(code)
    passed = _measure(macros, text)
    lengths = [len(line) + 1.0 for line in code]
    most: dict[int, tuple[float, str]] = {}
    numbers = [number for number, tokens in text for _ in tokens]
    tokens = [token for _, line in text for token in line]
    for index, name, length in _lengths(tokens, macros, passed):
        line = numbers[index]
        lengths[line] += length
        most[line] = max(most.get(line, (0.0, "")), (length, name or ""))
    if not lengths:
        return None
    longest, total = max(range(len(lengths)), key=lengths.__getitem__), sum(lengths)
    if lengths[longest] > LONGEST_LINE:
        what = f"macros make {_about(lengths[longest])} of this line, at most {LONGEST_LINE:,} fit"
    elif total > LONGEST_TEXT:
        what = (
            f"macros make {_about(total)} of all, most of them here; at most {LONGEST_TEXT:,} fit"
        )
    else:
        return None
    name = most.get(longest, (0.0, ""))[1]
    if name in macros and macros[name].takes_arguments:
        deep = lengths[longest] == inf > macros[name].length
        within = f"is called in arguments of calls, more than {DEEPEST} deep"
        what += f": {name} {within if deep else 'repeats what it is given'}"
    elif name in macros:
        what += f": {name} is {_about(macros[name].length)}"
    return Excess(longest, f"{what}; write functions")


def _about(length: float) -> str:
    return f"some {length:,.0f} characters" if length < 1e12 else "more than fits anywhere"


@dataclass
class _Macro:
    """All definitions of a name, and their length."""

    definitions: list[tuple[tuple[str, ...] | None, list[str]]] = field(default_factory=list)
    """(parameters, tokens) of each; parameters None without brackets."""
    length: float = 0.0
    """Length when expanded, without arguments."""
    repeats: list[float] = field(default_factory=list)
    """Occurrences of each argument."""

    @property
    def takes_arguments(self) -> bool:
        return any(parameters is not None for parameters, _ in self.definitions)

    @property
    def stands_alone(self) -> bool:
        return any(parameters is None for parameters, _ in self.definitions)

    def times(self, argument: int) -> float:
        """How often an argument is expanded: once even if it is then left out."""
        return max([1.0, *(self.repeats[argument : argument + 1] or self.repeats)])

    def grow(self, length: float, repeats: Sequence[float]) -> None:
        """Raise its length and repeats to at least these."""
        self.length = max(self.length, length)
        both = zip_longest(self.repeats, repeats, fillvalue=0.0)
        self.repeats = [max(pair) for pair in both]


_Macros = Mapping[str, _Macro]
_Text = list[tuple[int, list[str]]]
"""Tokens that compilers expand, with the number of their line."""


def _read(code: Iterable[str]) -> tuple[dict[str, _Macro], _Text]:
    """A text's macros by name, and the rest of the text."""
    macros: dict[str, _Macro] = {}
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(code):
        found = directive(line)
        if found is None:
            lines.append((number, line))
        elif found[0] in ("if", "elif"):
            lines.append((number, found[1]))
        elif found[0] == "define" and (said := definition(found[1])) is not None:
            name, macro = said
            known = macros.setdefault(name, _Macro())
            known.definitions.append((macro.parameters, _TOKEN.findall(macro.body)))
    if not any(macro.takes_arguments for macro in macros.values()):
        # No call continues in a line without a macro's name: most lines can be skipped.
        names = macros.keys()
        lines = [(n, line) for n, line in lines if not names.isdisjoint(_WORD.findall(line))]
    return macros, [(number, _TOKEN.findall(line)) for number, line in lines]


def _measure(macros: dict[str, _Macro], text: _Text) -> _Macro:
    """Find the length of each macro; the result is the bound for any passed on by name."""
    bodies = [tokens for macro in macros.values() for _, tokens in macro.definitions]
    pasted = _pasted(macros, [*bodies, *(tokens for _, tokens in text)])
    macros[_PASTED] = _Macro([(None, [name]) for name in pasted])
    loose = {name for name in pasted if macros[name].takes_arguments}
    loose |= _loose(macros, [*bodies, [token for _, tokens in text for token in tokens]])
    order = _inside_out(macros)
    passed = _Macro()
    for _ in range(_PASSED_ON if loose else 1):
        for name in order:
            for parameters, tokens in macros[name].definitions:
                _measure_one(macros, name, parameters or (), tokens, passed)
        before = passed.length, passed.repeats
        for name in loose:
            passed.grow(macros[name].length, [max(macros[name].repeats, default=0.0)])
        if before == (passed.length, passed.repeats):
            break
    return passed


def _measure_one(
    macros: _Macros, name: str, parameters: Sequence[str], tokens: list[str], passed: _Macro
) -> None:
    length, repeats = 0.0, dict.fromkeys(parameters, 0.0)
    for index, macro, amount in _lengths(tokens, macros, passed, name, parameters):
        if macro is None:
            repeats[tokens[index]] += amount
        else:
            length += amount
    macros[name].grow(length, list(repeats.values()))


def _lengths(
    tokens: Sequence[str],
    macros: _Macros,
    passed: _Macro,
    within: str | None = None,
    parameters: Sequence[str] = (),
) -> Iterator[tuple[int, str | None, float]]:
    """(index, macro, characters) for the expansion of tokens, with the macro that they are, or are
    an argument of, or empty. For parameters (index, None, occurrences).

    within: the macro whose tokens these are, which is not expanded again in itself.
    """
    known = set(parameters)
    calls: list[tuple[str, _Macro | None, int, float]] = []
    """For each open bracket: macro called, its argument, and its own number of occurrences."""
    times, depth = 1.0, 0
    name, called = "", None  # by the bracket that follows
    for index, token in enumerate(tokens):
        opens = tokens[index + 1 : index + 2] == ["("]
        if token in ("(", ")", ","):
            yield index, "", times
        if token == "(":
            calls.append((name or (calls[-1][0] if calls else ""), called, 0, times))
            if called:
                times *= called.times(0)
                depth += 1
                if depth == DEEPEST:
                    yield index, calls[-1][0], inf
            name, called = "", None
        elif token == ")" and calls:
            _, macro, _, times = calls.pop()
            depth -= macro is not None
            called = passed if macro and opens else None
        elif token == "," and calls and (macro := calls[-1][1]) is not None:
            within_call, _, argument, outside = calls.pop()
            calls.append((within_call, macro, argument + 1, outside))
            times = outside * macro.times(argument + 1)
        elif token in known:
            called = passed if opens else None
            yield index, None, times
            if opens and passed.length:
                yield index, "", times * passed.length
        elif token == "##":
            if within is not None and macros[_PASTED].length:
                yield index, "", times * macros[_PASTED].length
        elif token in macros and token != within:
            macro = macros[token]
            length = macro.length if macro.stands_alone else float(len(token))
            if opens and macro.takes_arguments:
                name, called, length = token, macro, macro.length
            elif opens:
                name, called, length = token, passed, length + passed.length
            if length:
                yield index, token, times * length
        else:
            yield index, calls[-1][0] if calls else "", times * len(token)


def _inside_out(macros: dict[str, _Macro]) -> list[str]:
    """Names of macros, each after those that it names. Macros that name each other in a circle
    count as endless here."""
    names = macros.keys()
    inner = {
        name: iter(
            {
                _PASTED if token == "##" else token
                for _, tokens in macro.definitions
                for token in tokens
                if token in names or (token == "##" and name != _PASTED)
            }
            - {name}
        )
        for name, macro in macros.items()
    }
    order: dict[str, None] = {}
    begun = set[str]()
    for first in macros:
        stack = [first] if first not in order else []
        while stack:
            name = stack[-1]
            begun.add(name)
            other = next((n for n in inner[name] if n not in order), None)
            if other is None:
                order[stack.pop()] = None
            elif other in begun:
                macros[other].length = inf
            else:
                stack.append(other)
    return list(order)


def _loose(macros: _Macros, texts: Iterable[Sequence[str]]) -> set[str]:
    """Macros with parameters that are named without arguments: they may be called elsewhere."""
    wanted = {name for name, macro in macros.items() if macro.takes_arguments}
    return {
        token
        for tokens in texts
        for token, following in zip_longest(tokens, tokens[1:])
        if token in wanted and following != "("
    }


def _pasted(macros: _Macros, texts: Iterable[Sequence[str]]) -> list[str]:
    """Macros whose names `##` may form from two or more of the texts' tokens."""
    tokens = {token for text in texts for token in text}
    return [name for name in macros if _is_made_of(name, tokens)] if "##" in tokens else []


def _is_made_of(name: str, tokens: set[str]) -> bool:
    if len(name) > _LONGEST_PASTED:
        return True
    reached = [True] + [False] * len(name)
    for end in range(1, len(name) + 1):
        reached[end] = any(
            reached[begin] and name[begin:end] in tokens
            for begin in range(end)
            if end - begin < len(name)
        )
    return reached[-1]
