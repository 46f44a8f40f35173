"""From a digest of any length to what it may be the digest of: every meaning is tried.

The meanings are those of AUTOMATIC1111's infotexts, Civitai's API and kohya's metadata. Of LoRAs,
civitai/sd_civitai_extension writes 10 digits of the data's SHA-256 (``Hashes: {"lora:…": …}``), and
A1111 believes what a LoRA's metadata say (``sshs_model_hash``); only a library keeps the latter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from kanna.errors import UsageError
from kanna.hashing.cache import CachedFile, PartDigest
from kanna.hashing.digests import Digests
from kanna.hashing.known import Known, known_file, known_models, known_weights
from kanna.model import Note


class Meaning(NamedTuple):
    """What so many digits can be: the beginning of this digest of a file."""

    word: str
    digits: int
    field: str


MEANINGS: Final = (
    Meaning("embedding_checksum", 4, "embedding_checksum"),
    Meaning("autov1", 8, "autov1"),
    Meaning("crc32", 8, "crc32"),
    Meaning("autov2", 10, "sha256"),
    Meaning("data_sha256_10", 10, "data_sha256"),
    Meaning("autov3", 12, "data_sha256"),
    Meaning("sha256_12", 12, "sha256"),
    Meaning("sshs_model_hash", 12, "sshs_model_hash"),
    Meaning("sha256_16", 16, "sha256"),
    Meaning("sha256", 64, "sha256"),
    Meaning("data_sha256", 64, "data_sha256"),
    Meaning("blake3", 64, "blake3"),
)
# Forge used this for a while; only digests of these lengths were written anywhere.
NAME_HASH_DIGITS: Final = (10, 64)
_LENGTHS: Final = frozenset(meaning.digits for meaning in MEANINGS)
_NOTHING: Final = (hashlib.sha256().hexdigest(), "af1349b9f5f9a1a6a0404dea36dcc949", "00000000")
_BARE: Final = re.compile(r"(?i)(?:0x|blake3:|sha256:)?([0-9a-f]+)")
_BEHIND: Final = re.compile(r"(?i)[\[(](?:0x)?([0-9a-f]+)[\])]\Z")
_NO_YEAR: Final = 8  # digits; fewer in brackets may be a part of the name
_FIELDS: Final = {"sha256", "data_sha256", "blake3", "crc32", "autov1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that a digest stands for: a published file, a local file, or both in one.

    `meaning` is a word of `MEANINGS`, or ``component``, or ``name_hash``: the digest of a name, not
    of a file. `exact` is False where the table knows too few digits to be sure. `part` is the part
    that was asked about, where a whole file was given.
    """

    meaning: str
    known: Known | None = None
    file: CachedFile | None = None
    exact: bool = True
    part: PartDigest | None = None

    @property
    def name(self) -> str:
        """What to call it: its published name, else its path on this machine."""
        if self.known is not None:
            return self.known.name
        assert self.file is not None
        return str(self.file.path)

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        file = self.file and {
            "path": str(self.file.path),
            "is_there": self.file.is_there,
            "origin": self.file.origin,
            **self.file.digests.to_json(),
        }
        return {
            "meaning": self.meaning,
            "exact": self.exact,
            "part": self.part and {"role": self.part.role, "prefix": self.part.prefix},
            "known": self.known and self.known.to_json(),
            "file": file,
        }

    @property
    def content(self) -> str:
        """What tells one file from another."""
        if self.file is not None:
            return self.file.digests.sha256 or self.file.key
        assert self.known is not None
        row = self.known
        return row.sha256 or row.sha256_begins or f"{row.name}\n{row.autov1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found for one digest, and what to keep in mind about it."""

    asked: str
    digits: str
    hits: tuple[Hit, ...]
    notes: tuple[Note, ...] = ()

    @property
    def found(self) -> bool:
        """Whether it is the digest of anything known."""
        return any(hit.meaning != "name_hash" for hit in self.hits)

    @property
    def several(self) -> bool:
        """Whether it may be one of several files."""
        return len({hit.content for hit in self.hits}) > 1


def digits_of(text: str) -> str:
    """Return the hex digits in ``0x…``, ``blake3:…``, ``name [hash]``, ``name(hash)`` or alone.

    Raises:
        UsageError: there are none, or not as many as any digest has.
    """
    text = text.strip()
    behind = _BEHIND.search(text)
    digits = bare_digits(text) or bare_digits(behind[1] if behind else "")
    if not digits:
        raise UsageError("which.no_digest", text=text)
    return digits


def bare_digits(text: str) -> str:
    """Return the digits of ``0x…``, ``blake3:…`` or alone; none if no digest has as many."""
    match = _BARE.fullmatch(text.strip())
    return match[1].lower() if match and len(match[1]) in _LENGTHS else ""


def parted(text: str) -> tuple[str, str]:
    """Part ``name [hash]`` and ``name(hash)`` into name and digits, either of which may be empty.

    ``name (2023)`` is all name.
    """
    text = text.strip()
    behind = _BEHIND.search(text)
    digits = bare_digits(behind[1]) if behind and len(behind[1]) >= _NO_YEAR else ""
    return (text[: behind.start()].rstrip(), digits) if behind and digits else (text, "")


class Remembered(Protocol):
    """Files whose digests are known: the cache of hashes, or more than that."""

    def files_with(self, field: str, beginning: str) -> list[CachedFile]:
        """Return the files whose digest `field` begins with these digits."""

    def files_with_part(self, beginning: str) -> list[CachedFile]:
        """Return the files that hold a part whose digest begins with these digits."""


def meanings_of(digits: str) -> tuple[Meaning, ...]:
    """Return everything that so many digits can be."""
    return tuple(meaning for meaning in MEANINGS if meaning.digits == len(digits))


def is_of_nothing(digits: str) -> bool:
    """Whether it is the digest of no bytes at all, which A1111 wrote for files up to 1 MiB."""
    return len(digits) > 4 and any(nothing.startswith(digits) for nothing in _NOTHING)


def resolve(text: str, cache: Remembered) -> Answer:
    """Return everything that the digest in `text` may stand for.

    Raises:
        UsageError: `text` holds no digest.
    """
    digits = digits_of(text)
    hits = _merged([
        *(hit for meaning in meanings_of(digits) for hit in _hits(meaning, digits, cache)),
        *_components(digits, cache),
        *_name_hashes(digits),
    ])  # fmt: skip
    return Answer(asked=text, digits=digits, hits=hits, notes=tuple(_notes(digits, hits)))


def answer_for_file(
    asked: str, digests: Digests, parts: Iterable[PartDigest], key: str | None, cache: Remembered
) -> Answer:
    """Return what is known of a file: by its bytes, by its weights alone, by each part of it.

    `key` is the file's own in the cache.
    """
    hits: list[Hit] = []
    for field in ("sha256", "data_sha256"):
        digest = getattr(digests, field)
        meanings = [one for one in MEANINGS if one.field == field and one.digits == 64]
        found = (hit for one in meanings for hit in _hits(one, digest or "-", cache))
        seen = {hit.content for hit in hits}
        hits += [hit for hit in found if hit.content not in seen and not _own(hit, key)]
    for part in parts:
        hits += same_part(part.digest, cache, but=key or "", part=part)
    return Answer(asked=asked, digits=digests.sha256 or "", hits=tuple(hits))


def _own(hit: Hit, key: str | None) -> bool:
    """Whether it only says that the file is itself."""
    return hit.file is not None and hit.file.key == key and hit.known is None


def _hits(meaning: Meaning, digits: str, cache: Remembered) -> Iterator[Hit]:
    yield from published_with(meaning, digits)
    for file in cache.files_with(meaning.field, digits):
        yield Hit(meaning=meaning.word, file=file, known=published(file))


def published_with(meaning: Meaning, digits: str) -> Iterator[Hit]:
    """Yield the published files whose digest of this meaning begins with these digits."""
    if meaning.field in _FIELDS:
        for row in known_models():
            if getattr(row, meaning.field).startswith(digits):
                yield Hit(meaning=meaning.word, known=row)
            elif meaning.field == "sha256" and row.sha256_begins and _agree(row, digits):
                exact = len(row.sha256_begins) >= len(digits)
                yield Hit(meaning=meaning.word, known=row, exact=exact)


def _agree(row: Known, digits: str) -> bool:
    """Whether the row's digits and these are the same as far as both go."""
    return digits.startswith(row.sha256_begins) or row.sha256_begins.startswith(digits)


def _components(digits: str, cache: Remembered) -> list[Hit]:
    return same_part(digits, cache) if len(digits) == 64 else []


def same_part(
    digest: str, cache: Remembered, *, but: str = "", part: PartDigest | None = None
) -> list[Hit]:
    """Return the hashed files, but the one with this key, that hold a part with this digest.

    Published files that are nothing but such a part come first.
    """
    files = [file for file in cache.files_with_part(digest) if file.key != but]
    hits = [Hit(meaning="component", file=file, known=published(file), part=part) for file in files]
    return sorted(hits, key=lambda hit: (hit.known is None, _is_whole(hit)))


def _is_whole(hit: Hit) -> bool:
    return hit.known is not None and hit.known.kind in {"checkpoint", "diffusion_model"}


def published(file: CachedFile) -> Known | None:
    """Return what the table knows of a hashed file: by its bytes, else by its weights alone."""
    digests = file.digests
    return known_file(digests.sha256) or known_weights(digests.data_sha256)


def _name_hashes(digits: str) -> Iterator[Hit]:
    """Yield the published files of whose name, not content, this is the digest."""
    if len(digits) in NAME_HASH_DIGITS:
        for row in known_models():
            if row.filename and name_hash(row.filename).startswith(digits):
                yield Hit(meaning="name_hash", known=row, exact=False)


def name_hash(name: str) -> str:
    """Return what early builds of Forge took for the digest of a file with this base name."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _merged(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """Leave out a row of the table where a local file is that very row."""
    hits = list(hits)
    local = {hit.content for hit in hits if hit.file is not None}
    return tuple(hit for hit in hits if hit.file is not None or hit.content not in local)


def _notes(digits: str, hits: tuple[Hit, ...]) -> Iterator[Note]:
    if is_of_nothing(digits):
        yield Note("which.nothing", {"digits": digits})
    contents = {hit.content for hit in hits}
    if len(contents) > 1:
        key = "which.several_autov1" if len(digits) == 8 else "which.several"
        yield Note(key, {"count": len(contents)})
    if any(hit.meaning == "name_hash" for hit in hits):
        yield Note("which.name_hash")
    if len(digits) == 10 and any(hit.known and hit.known.kind == "vae" for hit in hits):
        yield Note("which.vae_hash")
    if any(hit.known and not hit.known.kind_is_sure for hit in hits):
        yield Note("which.civitai", warning=False)
    if any(not hit.exact and hit.meaning != "name_hash" for hit in hits):
        yield Note("which.few_digits")
