"""Damages of bytes, texts and the formats that the program reads: what a fuzzer does to a file."""

from __future__ import annotations

import copy
import json
import random
import re
import struct
import sys
from collections.abc import Iterable
from typing import Any


def flip(random_: random.Random, data: bytes) -> bytes:
    """Bits flipped."""
    out = bytearray(data or b"\0")
    for _ in range(random_.choice([1, 1, 3, 30])):
        out[random_.randrange(len(out))] ^= 1 << random_.randrange(8)
    return bytes(out)


def _half(random_: random.Random, data: bytes) -> bytes:
    """A partly written file."""
    return data[: random_.randrange(len(data) + 1)]


def _garbage(random_: random.Random, data: bytes) -> bytes:
    """Random bytes somewhere."""
    at = random_.randrange(len(data) + 1)
    return data[:at] + random_.randbytes(random_.randint(1, 300)) + data[at:]


def _cut_out(random_: random.Random, data: bytes) -> bytes:
    """A part left out, or twice."""
    a, b = sorted(random_.randrange(len(data) + 1) for _ in range(2))
    return data[:a] + data[b:] if random_.random() < 0.5 else data[:b] + data[a:]


def _nothing(random_: random.Random, data: bytes) -> bytes:
    """Nothing, or next to it."""
    return random_.choice(
        [b"", b"\n", b"\0", b"\xef\xbb\xbf", b" " * 70000, b"\x80\x04N.", b"PK\3\4"]
    )


def _zeros(random_: random.Random, data: bytes) -> bytes:
    """Zero bytes."""
    at = random_.randrange(len(data) + 1)
    return data[:at] + b"\0" * random_.choice([1, 8, 4096]) + data[at:]


def _large(random_: random.Random, data: bytes) -> bytes:
    """Megabytes of one line."""
    at = random_.randrange(len(data) + 1)
    return (
        data[:at] + random_.choice([b"a", b"[", b"1", b'"', b"{", b"a.", b"#"]) * 2**21 + data[at:]
    )


ODD_NUMBERS = (
    "0", "-1", "1e400", "-1e-400", "nan", "inf", "-inf", "NaN", "Infinity", "1" * 5000, "0x7f",
    "1_0", "9223372036854775808", "-9223372036854775809", "1e308", "0.1", "007", "true",
    "1.0", "10000000000",
)  # fmt: skip
ODD_VALUES = (
    *ODD_NUMBERS, '""', '"x"', '"\\u0000"', '"\\ud800"', "[]", "{}", "null", "[[[[[[[[]]]]]]]]",
    '"' + "a" * 100_000 + '"', "[" * 5000 + "]" * 5000, "[1, [2]]", '{a = 1}', '{"a": 1}', "'",
    '"[red]x[/b]"', '"\\u001b[2J"', "1979-05-27", "[" + "1," * 3000 + "1]", '"../../etc"',
)  # fmt: skip


def _encoded(random_: random.Random, data: bytes) -> bytes:
    """Another encoding."""
    text = data.decode("utf-8", "replace")
    encoding = random_.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp037"])
    return text.encode(encoding, "replace")


def value(random_: random.Random, data: bytes) -> bytes:
    """A value replaced by a strange one."""
    found = list(re.finditer(rb'(?<=[=:,\[])\s*("[^"]*"|[\w.+-]+|\[\])', data))
    if not found:
        return _garbage(random_, data)
    at = random_.choice(found)
    return data[: at.start(1)] + random_.choice(ODD_VALUES).encode() + data[at.end(1) :]


def _line(random_: random.Random, data: bytes) -> bytes:
    """A line missing, doubled or moved."""
    lines = data.splitlines(keepends=True) or [b""]
    line = lines.pop(random_.randrange(len(lines)))
    for _ in range(random_.randrange(3)):
        lines.insert(random_.randrange(len(lines) + 1), line)
    return b"".join(lines)


def _toml(random_: random.Random, data: bytes) -> bytes:
    """An additional line."""
    more = random_.choice([
        "[a", "a =", "= 1", "a = 1\na = 2", "[training]\n[training]", "training = 3",
        "[[training]]",
        "values = 3", "[values]\nx = 1", "seed = " + "[" * 5000, "a.b.c = 1", "a." * 3000 + "a = 1",
        '"\\u0000" = 1', "seed = 0x" + "f" * 5000, "background = 3", 'colour_map = ["#12", 3]',
        "colour_map = " + '["#123456"' + ', "#123456"' * 5000 + "]", "'''", 'a = """', "\x00", "\r",
        "[visualization]\nsize = [1e9, 1]", "x = " + "9" * 5000, "x = {" * 500, "é = 1",
    ])  # fmt: skip
    lines = data.splitlines(keepends=True)
    lines.insert(random_.randrange(len(lines) + 1), more.encode() + b"\n")
    return b"".join(lines)


def cell(random_: random.Random, data: bytes) -> bytes:
    """A table cell replaced by another."""
    cells = re.split(rb"([,\n])", data)
    odd = random_.choice([*ODD_NUMBERS, "", "a", '"', '"\n"', ",,,", "\0", "é", "1" * 100_000])
    cells[2 * random_.randrange((len(cells) + 1) // 2)] = odd.encode()
    return b"".join(cells)


def _json_node(random_: random.Random, root: Any) -> Any:
    """JSON with one of its values or keys replaced."""
    root = copy.deepcopy(root)
    holders = [(None, None)]
    waiting: list[Any] = [root]
    while waiting:
        node = waiting.pop()
        keys: Iterable[Any] = ()
        if isinstance(node, dict):
            keys = node
        elif isinstance(node, list):
            keys = range(min(len(node), 5))
        for key in keys:
            holders.append((node, key))
            waiting.append(node[key])
    holder, key = random_.choice(holders)
    odd: Any = random_.choice([
        None, True, False, 0, -1, 7, 2**31, 2**63, 2**70, -(2**63) - 1, 1e308, float("nan"),
        float("inf"), 0.5, "", "x", "\0", "\ud800", "a" * 100_000, [], {}, [1], {"a": 1}, [[]],
        [0] * 3000, 10**4500,
    ])  # fmt: skip
    if holder is None:
        return odd
    if isinstance(holder, dict) and random_.random() < 0.3:
        value = holder.pop(key)
        if random_.random() < 0.5:
            holder[random_.choice(["", "x", "\0", "a" * 1000, f"{key} "])] = value
    else:
        holder[key] = odd
    return root


def _dumped(value: Any) -> str:
    """As JSON, with integers of any size."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value)
    finally:
        sys.set_int_max_str_digits(limit)


def json_value(random_: random.Random, data: bytes) -> bytes:
    """A value or a key replaced."""
    return _dumped(_json_node(random_, json.loads(data))).encode("utf-8", "surrogatepass")


def json_text(random_: random.Random, data: bytes) -> bytes:
    """A duplicate key, or very many brackets."""
    text = data.decode()
    return random_.choice([
        "[" * 100_000, '{"a":' * 100_000, text.replace("{", '{"kind": 1, ', 1),
        text[:-2] + ', "kind": 2}',
        text.replace("[", "[[", 1), text + text, text.replace(":", ":" + "[" * 3000, 1),
    ]).encode()  # fmt: skip


def _header(random_: random.Random, data: bytes) -> bytes:
    """A changed header, with matching length and digest."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    if random_.random() < 0.6:
        metadata = header["__metadata__"]
        metadata["calf_viz"] = _dumped(_json_node(random_, json.loads(metadata["calf_viz"])))
    else:
        header = _json_node(random_, header)
    text = _dumped(header).encode("utf-8", "surrogatepass")
    return _signed(struct.pack("<Q", len(text)) + text + data[8 + length :])


def _length(random_: random.Random, data: bytes) -> bytes:
    """Another length of the header."""
    length = random_.choice([0, 1, 8, len(data), 2**20, 2**31, 2**63, 2**64 - 1, len(data) - 8])
    return struct.pack("<Q", length) + data[8:]


def _numbers(random_: random.Random, data: bytes) -> bytes:
    """Numbers after the header that no network has, with a matching digest."""
    out = bytearray(data)
    start = 8 + struct.unpack("<Q", data[:8])[0]
    odd = random_.choice([float("nan"), float("inf"), -3e38, 1e-45])
    for _ in range(random_.choice([1, 5, 100])):
        at = start + 4 * random_.randrange((len(data) - start) // 4)
        out[at : at + 4] = struct.pack("<f", odd)
    return _signed(bytes(out))


def _signed(data: bytes) -> bytes:
    """With a matching digest; otherwise nothing after it would be checked."""
    from calf_viz.agent.checkpoint import sign

    return sign(data)


def word(random_: random.Random, data: bytes) -> bytes:
    """A word of the board's header replaced."""
    odd = random_.choice([0, 1, -1, 2**31, 2**62, -(2**63), 5, 4096, 10**6])
    at = 8 * random_.randrange(16)
    return data[:at] + struct.pack("<q", odd) + data[at + 8 :]


ANY = (flip, _half, _garbage, _cut_out, _nothing, _zeros, _large)
TEXT = (*ANY, _encoded, _line)
TOML = (*TEXT, value, value, _toml, _toml)
SAFETENSORS = (flip, _half, _garbage, _nothing, _large, *(_header,) * 6, _length, _numbers)
