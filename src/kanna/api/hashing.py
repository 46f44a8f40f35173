"""Every digest of files, from the cache or in one read, and what is known by them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from kanna.api.reading import StrPath
from kanna.disk import Fingerprint, as_path, is_remote
from kanna.engine import Progress, RunOptions
from kanna.errors import Incomplete, KannaError, UsageError
from kanna.formats import open_model
from kanna.hashing.cache import HashCache, PartDigest, key_of
from kanna.hashing.components import part_digests
from kanna.hashing.digests import Digests
from kanna.hashing.embeddings import embedding_checksum
from kanna.hashing.known import Known, known_file, known_weights
from kanna.hashing.many import Hashed
from kanna.hashing.many import hash_files as read_files
from kanna.hashing.place import cache_path
from kanna.hashing.resolving import Hit, same_part
from kanna.hashing.sidecars import Sidecar, read_sidecar, sidecar_path, write_sidecar
from kanna.identify import identify

# What is published as a part alone is worth remembering by its content.
_LEARNED = {"vae", "text_encoder"}
_EMBEDDING_LIMIT = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HashOptions:
    """How to hash: with the cache or without, on how many threads, and what besides.

    `check` compares with the sidecars and therefore reads every byte. `parts` asks for the
    component digests, too. A file behind a URL is read whole only with `full`; else its hub and
    its header say what they know. `threads` is None for ``KANNA_THREADS``, else one per core up to
    four.
    """

    cache: bool = True
    parts: bool = False
    check: bool = False
    full: bool = False
    write_sidecar: bool = False
    force: bool = False
    dry_run: bool = False
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMatch:
    """A part of a file by its component digest, and the other files that hold the same."""

    part: PartDigest
    same: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedFile:
    """What `hash_files` says of one file; `error` says what went wrong, if anything did.

    `known` is the published file that it is, `weights_known` the one whose tensor data it shares.
    `sidecar` is what the file beside it says. `written` is the sidecar that was written, or would
    be in a dry run. `parts` is None unless asked for. `told` says that the digests of a remote file
    are what its hub and its header say, not computed but for AutoV1.
    """

    path: Path
    error: KannaError | None = None
    digests: Digests | None = None
    cached: bool = False
    told: bool = False
    known: Known | None = None
    weights_known: Known | None = None
    sidecar: Sidecar | None = None
    written: Path | None = None
    parts: tuple[PartMatch, ...] | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether the sidecar has the file's digest, or None where none speaks of it."""
        if self.digests is None or self.sidecar is None or self.sidecar.sha256 is None:
            return None
        return self.sidecar.sha256 == self.digests.sha256


def hash_files(
    paths: Sequence[StrPath],
    options: HashOptions | None = None,
    *,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[HashedFile]:
    """Yield every digest of each file, in order; a broken file does not stop the others.

    Raises:
        UsageError: the number of threads is none.
        Interrupted: `cancel` was set.
    """
    options = options or HashOptions()
    threads = RunOptions(threads=options.threads).thread_count()
    places = [as_path(path) for path in paths]
    with HashCache(cache_path() if options.cache else None) as cache:
        done = {place: found for place in places if (found := _cached(place, cache, options))}
        told = {p for p in places if is_remote(p) and not (options.full and _readable(options))}
        unread = [place for place in dict.fromkeys(places) if place not in {*done, *told}]
        fresh = read_files(unread, threads=threads, progress=progress, cancel=cancel)
        for place in places:
            if place in told:
                yield _told(place, options)
            elif place in done:
                yield _described(done[place], cache, options, cached=place not in unread)
            else:
                done[place] = _kept(next(fresh), cache)
                yield _described(done[place], cache, options, cached=False)


def _told(path: Path, options: HashOptions) -> HashedFile:
    """Return what can be known of a remote file without moving its weights."""
    from kanna.hashing.remote import told_digests

    try:
        if options.parts or not _readable(options):
            raise UsageError("hash.remote_needs_full", path=path)
        digests = told_digests(path)
    except KannaError as error:
        return HashedFile(path=path, error=error)
    return HashedFile(
        path=path, digests=digests, told=True, known=known_file(digests.sha256),
        weights_known=known_weights(digests.data_sha256),
    )  # fmt: skip


def _readable(options: HashOptions) -> bool:
    """Whether the options ask for nothing but reading: there is no sidecar beside a URL."""
    return not (options.check or options.write_sidecar)


def _cached(path: Path, cache: HashCache, options: HashOptions) -> Hashed | None:
    """Return what was computed before, unless every byte is to be read again."""
    try:
        fingerprint = Fingerprint.of(path.stat())
    except (OSError, ValueError):
        return None
    found = None if options.check else cache.find(fingerprint)
    if found is None or not found.digests.complete:
        return None
    return Hashed(path=path, fingerprint=fingerprint, digests=found.digests)


def _kept(hashed: Hashed, cache: HashCache) -> Hashed:
    """Complete fresh digests and keep them."""
    if hashed.digests is None or hashed.fingerprint is None or is_remote(hashed.path):
        return hashed  # a URL may hold something else tomorrow
    digests = hashed.digests
    if digests.size <= _EMBEDDING_LIMIT:
        with suppress(KannaError), open_model(hashed.path) as model:
            checksum = embedding_checksum(model, identify(model))
            digests = replace(digests, embedding_checksum=checksum)
    cache.keep(hashed.path, hashed.fingerprint, digests)
    known = known_file(digests.sha256)
    if known is not None and known.kind in _LEARNED:
        with suppress(KannaError):
            _parts(hashed.path, hashed.fingerprint, cache)
    return replace(hashed, digests=digests)


def _described(
    hashed: Hashed, cache: HashCache, options: HashOptions, *, cached: bool
) -> HashedFile:
    """Add what is known about a file by its digests, and do what was asked for with them."""
    digests, path = hashed.digests, hashed.path
    if digests is None or digests.sha256 is None or hashed.fingerprint is None:
        return HashedFile(path=path, error=hashed.error)
    file = HashedFile(
        path=path, digests=digests, cached=cached, known=known_file(digests.sha256),
        weights_known=known_weights(digests.data_sha256),
    )  # fmt: skip
    try:
        if options.write_sidecar:
            file = replace(file, written=_write(path, digests.sha256, options))
        else:
            file = replace(file, sidecar=_sidecar(path, options))
        if options.parts:
            parts = _parts(path, hashed.fingerprint, cache)
            key = key_of(hashed.fingerprint)
            matches = (
                PartMatch(part=part, same=tuple(same_part(part.digest, cache, but=key)))
                for part in parts
            )
            file = replace(file, parts=tuple(matches))
    except KannaError as error:
        return replace(file, error=error)
    return file


def _write(path: Path, sha256: str, options: HashOptions) -> Path:
    if options.dry_run:
        return sidecar_path(path)
    return write_sidecar(path, sha256, force=options.force)


def _sidecar(path: Path, options: HashOptions) -> Sidecar | None:
    """Return what the sidecar says; where it is to be checked, it must say something."""
    sidecar = read_sidecar(path)
    if options.check and sidecar is None:
        raise Incomplete("hash.no_sidecar", path=path)
    if options.check and sidecar is not None and sidecar.sha256 is None:
        raise Incomplete("hash.sidecar_silent", path=sidecar.path, name=path.name)
    return sidecar


def _parts(path: Path, fingerprint: Fingerprint, cache: HashCache) -> list[PartDigest]:
    """Return the component digests of a file, computed where the cache has none."""
    parts = cache.parts(fingerprint)
    if not parts:
        with open_model(path) as model:
            parts = part_digests(model, identify(model))
        if not is_remote(path):
            cache.keep_parts(fingerprint, parts)
    return parts
