"""What an address may hold of credentials, and texts without it.

    ftp://user:pass/w@rd@host/a.calf      ftp://…@host/a.calf
    zip://a.calf::https://host/a?sig=b:c  zip://a.calf::https://host/a?…

Nothing says where a password ends that holds what separates the parts of an address. So whatever
may belong to one is left out, though it be part of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

HIDDEN = "…"
SHORTEST = 6
"""Characters of a query's value that is left out of other texts; shorter ones are found in any."""

_IN_TEXT = re.compile(r"[a-zA-Z][\w+.-]*://\S+")


def without_secrets(address: str) -> str:
    """An address without user, password and query."""
    return "::".join(_split(link)[0] for link in _links(address))


def text_without_secrets(text: str, address: str = "") -> str:
    """A text, such as an error's, without those of an address, and of any others in it."""
    if address:
        text = text.replace(address, without_secrets(address))
    # The longest first, as one may be part of another.
    for secret in sorted(_secrets(address), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _IN_TEXT.sub(lambda found: without_secrets(found[0]), text)


def _links(address: str) -> list[str]:
    """The links of a chain, ZIP::FILE."""
    found: list[str] = []
    for part in address.split("::"):
        inside = "://" not in part and bool(found) and ("@" in part or "?" in found[-1])
        if inside:  # of a password, or a query
            found[-1] += f"::{part}"
        else:
            found.append(part)
    return found


def _split(link: str) -> tuple[str, str, str]:
    """A link of a chain without its secrets; what is before its host; and its query."""
    scheme, mark, rest = link.partition("://")
    if not mark:
        return link, "", ""
    user, at, place = rest.rpartition("@")
    if "?" in user:  # of a password, or the @ is the query's
        return f"{scheme}://{HIDDEN}", user, rest.partition("?")[2]
    place, asks, query = place.partition("?")
    shown = f"{scheme}://{HIDDEN}@{place}" if at else f"{scheme}://{place}"
    return f"{shown}?{HIDDEN}" if asks else shown, user, query


def _secrets(address: str) -> Iterator[str]:
    """Whatever may be one, as it is written and as it is meant."""
    for link in _links(address):
        _, user, query = _split(link)
        values = [part.partition("=")[2] for part in query.split("&")]
        long = [value for value in values if len(value) >= SHORTEST]
        for secret in (user, user.partition(":")[2], query, *long):
            yield from filter(None, (secret, unquote(secret)))
