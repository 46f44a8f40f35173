"""The text arguments of protocol 0: numbers and quoted strings, read strictly."""

from __future__ import annotations

import re
from typing import Final

from kanna.formats.checkpoint.pickle_machine import MAX_INT_DIGITS, VALUE, Broken

_ESCAPES: Final = {
    b"\\": b"\\", b"'": b"'", b'"': b'"', b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n",
    b"r": b"\r", b"t": b"\t", b"v": b"\v",
}  # fmt: skip


def parse_int(line: bytes) -> int:
    """Return an INT: ``00`` and ``01`` are the booleans, everything else is decimal.

    Raises:
        Broken: it is neither.
    """
    if line in (b"00", b"01"):
        return line == b"01"
    return parse_long(line, suffix=b"")


def parse_long(line: bytes, suffix: bytes = b"L") -> int:
    """Return a LONG: a decimal number, with or without its suffix.

    Raises:
        Broken: it is none, or has more digits than a model file needs.
    """
    number = line.removesuffix(suffix)
    digits = number[1:] if number[:1] in (b"-", b"+") else number
    if not digits.isdigit() or len(digits) > MAX_INT_DIGITS:
        raise Broken(VALUE)
    return int(number)


def parse_float(line: bytes) -> float:
    """Return a FLOAT as ``repr`` writes it.

    Raises:
        Broken: it is written in another way.
    """
    if not 0 < len(line) <= 64 or b"_" in line or line != line.strip():
        raise Broken(VALUE)
    return float(line)


def decode_py2(data: bytes) -> str | bytes:
    """Return a string of Python 2: text if it is UTF-8, as torch reads it, else bytes."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def unquote(line: bytes) -> str | bytes:
    """Return a STRING, which is quoted and escaped as Python 2 wrote it.

    Raises:
        Broken: the quotes are missing.
    """
    if len(line) < 2 or line[0] != line[-1] or line[0] not in b"'\"":
        raise Broken(VALUE)
    pattern = rb"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)"
    return decode_py2(re.sub(pattern, _unescape, line[1:-1], flags=re.DOTALL))


def _unescape(match: re.Match[bytes]) -> bytes:
    body: bytes = match[1]
    if body in _ESCAPES:
        return _ESCAPES[body]
    if body[:1] == b"x" and len(body) == 3:
        return bytes((int(body[1:], 16),))
    if body.isdigit():
        return bytes((int(body, 8) & 0xFF,)) if int(body[:1]) < 8 else match[0]
    return match[0]
