"""Reading the tables: the TOML files beside this module and those of the user, parsed once.

Parsing TOML takes a hundred times as long as reading JSON, so the parsed tables are kept as JSON in
``__pycache__``, stamped with a checksum of every byte they came from. The copy is a convenience:
where it cannot be read or written, the tables are parsed again.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from kanna.errors import FormatError
from kanna.families.keys import expand, parse_line

HERE: Final = Path(__file__).parent
# Raised when the layout of the cached document changes.
_VERSION: Final = 1
_SLOTS: Final = ("all", "any", "none", "tails")

Raw = dict[str, Any]


def load_tables() -> Raw:
    """Return every table as one document: families, components, their index, name maps.

    Raises:
        FormatError: a user's table is no TOML, or a row lacks what it needs.
    """
    paths = [*sorted(HERE.glob("*.toml")), *sorted(HERE.glob("names/*.toml")), *_user_tables()]
    sources = [path.read_bytes() for path in paths]
    stamp = _stamp(paths, sources)
    cache = HERE / "__pycache__" / f"tables-{_VERSION}.json"
    document = _cached(cache, stamp)
    if document is None:
        document = {"stamp": stamp, **_build(paths, sources)}
        _keep(cache, document)
    return document


def _user_tables() -> list[Path]:
    """List the user's own tables; platformdirs is imported only where they could exist."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    if sys.platform == "linux" and not (base / "kanna").is_dir():
        return []
    from platformdirs import user_config_path  # slow, and seldom needed

    return sorted((user_config_path("kanna", appauthor=False) / "families").glob("*.toml"))


def _stamp(paths: list[Path], sources: list[bytes]) -> str:
    checksum = 0
    for path, source in zip(paths, sources, strict=True):
        checksum = crc32(source, crc32(path.name.encode(), checksum))
    return f"{checksum:08x}-{sum(map(len, sources))}"


def _cached(cache: Path, stamp: str) -> Raw | None:
    with suppress(OSError, ValueError):
        document = json.loads(cache.read_bytes())
        if isinstance(document, dict) and document.get("stamp") == stamp:
            return document
    return None


def _keep(cache: Path, document: Raw) -> None:
    """Write the cache in one step, so that no other process ever reads half of it."""
    part = cache.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        cache.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
        part.replace(cache)


def _build(paths: list[Path], sources: list[bytes]) -> Raw:
    import tomllib  # only needed when the cache is stale

    families: dict[str, Raw] = {}
    for path, source in zip(paths, sources, strict=True):
        try:
            table = tomllib.loads(source.decode("utf-8"))
            families[table["name"]] = _merged(families.get(table["name"], {}), table)
        except (ValueError, KeyError, TypeError) as error:
            raise FormatError("identity.bad_table", path=path, reason=error) from error
    everywhere = families.pop("everywhere", {})
    names = {name: families.pop(name) for name, table in list(families.items()) if "row" in table}
    components = [
        {**row, "family": name}
        for name, table in families.items()
        for row in table.pop("component", ())
    ]
    choices = {
        rows["name"]: rows["row"]
        for table in families.values()
        for rows in table.pop("choices", ())
    }
    return {
        "families": families,
        "components": components,
        "choices": choices,
        "everywhere": everywhere,
        "names": names,
        "index": _index(components),
    }


def _merged(old: Raw, new: Raw) -> Raw:
    """Join a user's table with ours: its rows come first, its key lists replace same-named ones."""
    joined = {**old, **new}
    for field, value in old.items():
        if isinstance(value, list):
            joined[field] = new.get(field, []) + value
        elif isinstance(value, dict):
            joined[field] = {**value, **new.get(field, {})}
    return joined


def _index(components: list[Raw]) -> Raw:
    """Map every name that recognition looks for to ``[component, slot, shape rule]`` rows."""
    index: dict[str, list[list[object]]] = {}
    for number, row in enumerate(components):
        for slot in _SLOTS:
            for line in row.get(slot, ()):
                pattern, rule = parse_line(line)
                for name in expand(pattern):
                    index.setdefault(name, []).append([number, slot, rule])
    return index
