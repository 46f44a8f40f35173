"""Which model is this: by any digest, by a file, by what other programs remember."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from kanna.api.hashing import HashOptions, hash_files
from kanna.api.looking_up import LookOptions, library_for
from kanna.api.reading import StrPath
from kanna.disk import Fingerprint, InputFile
from kanna.engine import Progress
from kanna.errors import Incomplete, KannaError
from kanna.formats import MODEL_SUFFIXES
from kanna.hashing.cache import HashCache, key_at
from kanna.hashing.digests import Digests
from kanna.hashing.place import cache_path
from kanna.hashing.resolving import Answer, Remembered, answer_for_file, resolve
from kanna.hashing.webui import Judged, beside, judge, read_entries

_HEAD: Final = 4096


def which(
    asked: StrPath,
    options: HashOptions | None = None,
    *,
    look: LookOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Answer:
    """Say of which file, published or on this machine, `asked` is the digest.

    `asked` is a digest of 4, 8, 10, 12, 16 or 64 hex digits, also as ``0x…``, ``blake3:…`` or
    ``name [digest]``, or a file: then by which digests or parts it is known. `look` names the
    library; for what a picture says see `models_of_picture`.

    Raises:
        UsageError: it is neither.
        Incomplete: there is no library where `look` says.
        KannaError: the file or the library cannot be read.
    """
    options, look = options or HashOptions(), look or LookOptions()
    place = Path(asked)
    if key_at(place) is None:
        with _remembered(options, look) as known:
            return resolve(str(asked), known)
    (hashed,) = hash_files([place], replace(options, parts=True), progress=progress)
    if hashed.digests is None:
        raise hashed.error or Incomplete("disk.missing", path=place)
    with _remembered(options, look) as known:
        digests, parts = hashed.digests, [match.part for match in hashed.parts or ()]
        return answer_for_file(str(asked), digests, parts, key_at(place), known)


def names_models(path: StrPath) -> bool:
    """Whether there is a picture or a text at `path`, which may name models, and no model."""
    place = Path(path)
    if place.suffix.lower() in MODEL_SUFFIXES or place.name.lower().endswith(".index.json"):
        return False
    try:
        with closing(InputFile(place)) as file:
            head = file.read(0, min(file.size, _HEAD))
    except KannaError:  # whoever opens it as a model says why
        return False
    from kanna.api.infotext_targets import TEXT_SUFFIXES
    from kanna.pictures import PICTURE_SUFFIXES, is_picture

    told = place.suffix.lower() in {*PICTURE_SUFFIXES, *TEXT_SUFFIXES}
    return told or is_picture(head) or b"\0" not in head


@contextmanager
def _remembered(options: HashOptions, look: LookOptions) -> Iterator[Remembered]:
    """Open what is known of this machine's files: the library where there is one, the cache."""
    with HashCache(cache_path() if options.cache else None) as cache:
        if look.library_path is None:
            yield cache
            return
        from kanna.catalog.matching_digests import LibraryDigests

        with library_for(look) as library:
            assert library is not None
            yield LibraryDigests(library, cache)


def import_hashes(
    path: StrPath, models: StrPath | None = None, *, dry_run: bool = False
) -> list[Judged]:
    """Take the hashes that A1111 or Forge keep in `path` into the cache, if they can be believed.

    `path` is a ``cache.json``, a ``cache`` folder or one section of it, or the folder of the UI.
    `models` is the models folder that the entries' names are about, by default ``models`` beside
    the cache.

    Raises:
        Incomplete: there is no such cache.
        FormatError: it cannot be read.
    """
    judged = judge(read_entries(Path(path)), Path(models) if models else beside(Path(path)))
    taken: dict[Path, dict[str, str | None]] = {}
    for one in judged:
        if one.fate == "taken" and one.path is not None:
            taken.setdefault(one.path, {})[one.entry.field] = one.entry.sha256
    with HashCache(None if dry_run else cache_path()) as cache:
        for file, digests in taken.items():
            with suppress(OSError):
                status = Fingerprint.of(file.stat())
                found = Digests(size=status.size, **digests)
                cache.keep(file, status, found, origin="a1111")
    return judged
