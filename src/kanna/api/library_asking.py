"""Questions about the library: which models it has, twice or not at all, and made of what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kanna.api.reading import StrPath
from kanna.catalog.asking import FoundFile, Sort, count, find
from kanna.catalog.conditions import Filters, conditions
from kanna.catalog.lineage import DEPTH, Lineage, lineage
from kanna.catalog.naming import find_file
from kanna.catalog.needs import Needs, needs_of
from kanna.catalog.place import library_path
from kanna.catalog.same import Dupes, dupes
from kanna.catalog.store import Library
from kanna.disk import absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class FindOptions:
    """Which models are wanted, in words; everything that is given must hold.

    Of several words of one kind, one must hold; of `findings` and `tags`, each. Families, kinds and
    precisions may be written as `explain` takes them. `base` is the model that LoRAs and the like
    are for: a family, or a part of the name that they give it. `roots` are folders, `role` is
    ``active`` or ``backup``. Sizes are such as ``2GB``, dates ``2024-05-01``, or ages: ``30d``.
    `gone` asks for models whose files are no longer there.
    """

    words: str = ""
    kinds: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    base: str | None = None
    roots: tuple[Path, ...] = ()
    role: str | None = None
    larger: str | None = None
    smaller: str | None = None
    newer: str | None = None
    older: str | None = None
    unknown: bool = False
    broken: bool = False
    noted: bool = False
    gone: bool = False


def library_find(
    options: FindOptions | None = None,
    *,
    sort: Sort = "name",
    limit: int | None = None,
    library: StrPath | None = None,
) -> tuple[FoundFile, ...]:
    """Return the models of the library that are wanted; without options, all that are there.

    Raises:
        UsageError: a word of `options` means nothing.
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        return find(opened, filters_of(options or FindOptions(), opened), sort=sort, limit=limit)


def library_count(options: FindOptions | None = None, *, library: StrPath | None = None) -> int:
    """Return how many models `library_find` would return.

    Raises:
        UsageError: a word of `options` means nothing.
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        return count(opened, filters_of(options or FindOptions(), opened))


def library_dupes(
    options: FindOptions | None = None, *, parts: bool = False, library: StrPath | None = None
) -> Dupes:
    """Return which of the wanted models are the same, with `parts` what they have in common inside.

    Raises:
        UsageError: a word of `options` means nothing.
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        wanted = conditions(filters_of(options or FindOptions(), opened))
        return dupes(opened, wanted, parts=parts)


def library_missing(options: FindOptions | None = None, *, library: StrPath | None = None) -> Needs:
    """Return what the wanted models need besides, and whether the library has it.

    Raises:
        UsageError: a word of `options` means nothing.
        Incomplete: there is no library.
    """
    with open_library(library) as opened:
        return needs_of(opened, conditions(filters_of(options or FindOptions(), opened)))


def library_lineage(file: str, *, depth: int = DEPTH, library: StrPath | None = None) -> Lineage:
    """Return what a model was made of and what was made of it, `depth` steps either way.

    `file` is a path, a digest, a name or a number of the library.

    Raises:
        UsageError: several models fit.
        Incomplete: there is no library, or it has no such model.
    """
    with open_library(library) as opened:
        return lineage(opened, find_file(opened, file), depth=depth)


def lineage_drawing(graph: Lineage, form: str) -> str:
    """Return a lineage as ``mermaid`` or ``dot`` have it.

    Raises:
        KeyError: there is no such form.
    """
    from kanna.catalog.lineage_drawing import DRAWINGS

    return DRAWINGS[form](graph)


def open_library(library: StrPath | None) -> Library:
    """Open the library at a path, or the user's own.

    Raises:
        Incomplete: there is none.
    """
    return Library(library_path() if library is None else Path(library), make=False)


def filters_of(options: FindOptions, library: Library) -> Filters:
    """Return what is asked for in words as what the library has.

    Raises:
        UsageError: a word means nothing; the error names those that there are.
    """
    from kanna.catalog import asking_words as typed

    def time(option: str, text: str | None) -> float | None:
        return None if text is None else typed.time_of(text, option)

    def size(option: str, text: str | None) -> int | None:
        return None if text is None else typed.size_of(text, option)

    return Filters(
        words=options.words,
        kinds=tuple(map(typed.kind_of, options.kinds)),
        families=tuple(map(typed.family_of, options.families)),
        variants=tuple(typed.variant_of(word, library) for word in options.variants),
        dtypes=tuple(typed.dtype_of(word, library) for word in options.precisions),
        containers=tuple(one for word in options.containers for one in typed.containers_of(word)),
        findings=tuple(map(typed.code_of, options.findings)),
        tags=tuple(typed.tag_of(word, library) for word in options.tags),
        base=typed.base_of(options.base) if options.base else None,
        roots=tuple(map(absolute, options.roots)),
        role=options.role,
        larger=size("--larger", options.larger),
        smaller=size("--smaller", options.smaller),
        newer=time("--newer", options.newer),
        older=time("--older", options.older),
        unknown=options.unknown, broken=options.broken, noted=options.noted, gone=options.gone,
    )  # fmt: skip
