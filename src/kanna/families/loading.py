"""Reading the tables: the TOML files beside this module and those of the user, parsed once.

Ours are right, which tests see to; a user's are checked before anything is made of them.

Parsing TOML takes a hundred times as long as reading JSON, so the parsed tables are kept as JSON in
``__pycache__``, stamped with a checksum of every byte they came from. The copy is a convenience:
where it cannot be read or written, the tables are parsed again. What is only read by people (the
``about`` of a family, the places of parts) is kept apart, so that recognition does not load it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from kanna.errors import FormatError
from kanna.families.keys import expand, parse_line

HERE: Final = Path(__file__).parent
# Raised when the layout of the cached document changes.
_VERSION: Final = 6
_SLOTS: Final = ("all", "any", "none", "tails")

Raw = dict[str, Any]


def load_tables() -> Raw:
    """Return every table as one document: families, components, their index.

    Raises:
        FormatError: a user's table cannot be read, is no TOML, or has a row that cannot be used.
    """
    return _load("tables")


def load_pages(stamp: str | None = None) -> Raw:
    """Return what the tables hold for people: the ``about`` of every family, and the configs.

    With the `stamp` of tables that were loaded just now, the sources are not read again.

    Raises:
        FormatError: as `load_tables`.
    """
    return _load("pages", stamp)


def load_places(stamp: str | None = None) -> Raw:
    """Return where parts are to be found, and where they stand in a file; see `load_pages`.

    Raises:
        FormatError: as `load_tables`.
    """
    return _load("places", stamp)


def load_names(stamp: str | None = None) -> Raw:
    """Return the tables of what tensors are called in each layout, by name; see `load_pages`.

    Raises:
        FormatError: as `load_tables`.
    """
    return _load("names", stamp)


def _load(which: str, stamp: str | None = None) -> Raw:
    if stamp is not None and (document := _cached(_cache(which), stamp)) is not None:
        return document
    users = _user_tables()
    paths = [*sorted(HERE.glob("*.toml")), *sorted(HERE.glob("names/*.toml")), *users]
    sources = [_read(path) for path in paths]
    stamp = _stamp(paths, sources)
    if (document := _cached(_cache(which), stamp)) is not None:
        return document
    built = _build(paths, sources, users)
    for name, part in built.items():
        part["stamp"] = stamp
        _keep(_cache(name), part)
    return built[which]


def _cache(which: str) -> Path:
    return HERE / "__pycache__" / f"{which}-{_VERSION}.json"


def _user_tables() -> list[Path]:
    """List the user's own tables; platformdirs is imported only where they could exist."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    if sys.platform == "linux" and not (base / "kanna").is_dir():
        return []
    from platformdirs import user_config_path  # slow, and seldom needed

    return sorted((user_config_path("kanna", appauthor=False) / "families").glob("*.toml"))


def _read(path: Path) -> bytes:
    with _blame(path):
        return path.read_bytes()


@contextmanager
def _blame(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong that it is the fault of the table `path`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise FormatError("identity.bad_table", path=path, reason=reason) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError("identity.bad_table", path=path, reason=error) from error
    except KeyError as error:
        raise FormatError("identity.table_lacks", path=path, field=error.args[0]) from error


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


def _build(paths: list[Path], sources: list[bytes], users: list[Path]) -> dict[str, Raw]:
    import tomllib  # only needed when the cache is stale

    from kanna.families.schema import check_fields, check_rows  # likewise

    families: dict[str, Raw] = {}
    names: dict[str, Raw] = {}
    checked: list[tuple[Path, Raw]] = []
    for path, source in zip(paths, sources, strict=True):
        with _blame(path):
            table = tomllib.loads(source.decode("utf-8"))
            if path in users:
                check_fields(table)
                checked.append((path, table))
            home = names if "row" in table else families
            home[table["name"]] = _merged(home.get(table["name"], {}), table)
    pages, places = _pages(families), families.pop("places", {})
    places["joined"] = families.pop("joined", {})
    document = _joined(families)
    for path, table in checked:
        with _blame(path):
            check_rows(table, document, names)
    document["index"] = _index(document["components"])
    document["old_layouts"] = sorted({old for one in names.values() for old in one.get("old", ())})
    return {"tables": document, "pages": pages, "places": places, "names": {"names": names}}


def _pages(families: dict[str, Raw]) -> Raw:
    """Take out of the tables what recognition does not need."""
    about, quantize = (
        {name: table.pop(field) for name, table in families.items() if field in table}
        for field in ("about", "quantize")
    )
    return {"about": about, "configs": families.pop("configs", {}), "quantize": quantize}


def _joined(families: dict[str, Raw]) -> Raw:
    """Sort what the tables hold by what it is."""
    everywhere = families.pop("everywhere", {})
    components = [
        {**row, "family": name}
        for name, table in families.items()
        for row in table.pop("component", ())
    ]
    choices = {
        rows["name"]: rows for table in families.values() for rows in table.pop("choices", ())
    }
    return {
        "families": families,
        "components": components,
        "choices": choices,
        "everywhere": everywhere,
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


def _index(components: list[Raw]) -> list[list[Any]]:
    """List the names that recognition looks for: ``[[component, slot, shape rule], …]``, names.

    Names for which the same is looked for share an entry, one to a line: that reads fastest.
    """
    wanted: dict[str, list[list[object]]] = {}
    for number, row in enumerate(components):
        for slot in _SLOTS:
            for line in row.get(slot, ()):
                pattern, rule = parse_line(line)
                for name in expand(pattern):
                    wanted.setdefault(name, []).append([number, slot, rule])
    shared: dict[str, list[str]] = {}
    for name, rows in wanted.items():
        shared.setdefault(json.dumps(rows), []).append(name)
    return [[json.loads(rows), "\n".join(names)] for rows, names in shared.items()]
