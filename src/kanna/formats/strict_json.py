"""JSON as the safetensors rules want it: strict UTF-8, no duplicate keys, no surprises.

Python's own parser is quick but lenient; what it lets pass is caught here, for headers and for
the small configuration files of a model folder alike.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn

from kanna.disk import InputFile
from kanna.errors import FormatError

# Marks outnumber the values that they part, so this bounds memory at about 500 MB before anything
# is parsed. It leaves room for more than 200,000 tensors.
_MARKS: Final = (b",", b":", b"[", b"{")
_MAX_MARKS: Final = 3_000_000

# Text with a letter beyond the basic plane takes four bytes for each of its letters, twice over.
_MAX_FOREIGN: Final = 24_000_000

Pairs = Sequence[tuple[str, Any]]


def load(file: InputFile, *, limit: int) -> dict[str, object]:
    """Return the JSON object that is the whole of `file`.

    Raises:
        FormatError: it is larger than `limit` bytes, or not strict JSON, or no object.
    """
    if file.size > limit:
        raise FormatError("formats.json_too_long", path=file.path, limit=limit)
    value = parse(file.read(0, file.size), file.path)
    if not isinstance(value, dict):
        raise FormatError("formats.json_no_object", path=file.path)
    return value


def parse(raw: bytes, path: Path, build: Callable[[Pairs], object] | None = None) -> Any:
    """Return the JSON value in `raw`, which was read from `path`.

    `build` makes an object from its pairs and then answers for duplicate keys; by default objects
    become dicts without any. Python's own limit on digits bounds the numbers.

    Raises:
        FormatError: the bytes are not strict JSON.
    """
    crowded = sum(map(raw.count, _MARKS)) > _MAX_MARKS
    if crowded or (len(raw) > _MAX_FOREIGN and not raw.isascii()):
        raise FormatError("formats.json_crowded", path=path)
    build = build or partial(unique, path=path)
    try:
        text = raw.decode()
        value = json.loads(text, object_pairs_hook=build, parse_constant=_refuse)
        if "\\u" in text:  # half of an escaped surrogate pair is no text
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise FormatError("formats.json_nested", path=path) from None
    except ValueError as error:
        raise FormatError("formats.json_invalid", path=path, reason=str(error)) from error
    return value


def unique(pairs: Pairs, path: Path) -> dict[str, Any]:
    """Return `pairs` as a dict.

    Raises:
        FormatError: a key is there twice; readers differ in which of the values they take.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise FormatError("formats.duplicate", path=path, name=name)
    return found


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is not JSON"
    raise ValueError(message)
