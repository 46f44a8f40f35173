"""What the models of a library need besides, and whether the library has it.

A diffusion model needs text encoders and a VAE, which many files leave out; what each needs is in
its identity document, and whose VAE fits whose latents in the tables of families. LoRAs and the
like need a model of their architecture.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kanna.catalog.asking import FoundFile, files_of
from kanna.catalog.conditions import ADAPTERS, Condition
from kanna.catalog.store import Library
from kanna.families import family
from kanna.families.joined import vae_fits
from kanna.families.needs import need
from kanna.families.places import Place, places
from kanna.hashing.known import Known, known_models

_MODELS: Final = ("checkpoint", "diffusion_model")
_PREVIEWS: Final = frozenset({"taesd"})  # draw rough pictures in the place of a VAE
_THERE: Final = "file.present = 1 AND file.error IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededPart:
    """A part that models of the library need besides.

    `word` is that of the families' needs, `vae` the family whose VAE it is. `served_by` are files
    of the library that are this part, `inside` checkpoints that have it in them, `possible` files
    whose headers leave open whether they are, as those of SD 1 and SDXL's VAEs. `places` say where
    it is found and what it is called, `published` which files with known digests are called so.
    """

    word: str
    role: str
    vae: str | None
    needed_by: tuple[FoundFile, ...]
    served_by: tuple[FoundFile, ...]
    inside: tuple[FoundFile, ...]
    possible: tuple[FoundFile, ...]
    places: tuple[Place, ...]
    published: tuple[Known, ...]

    @property
    def missing(self) -> bool:
        """Whether no file of the library has it, or may be it."""
        return not (self.is_there or self.possible)

    @property
    def is_there(self) -> bool:
        """Whether a file of the library surely has it."""
        return bool(self.served_by or self.inside)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.places[0].title if self.places else self.word

    @property
    def names(self) -> tuple[str, ...]:
        """The usual names of its file."""
        return tuple(dict.fromkeys(name for place in self.places for name in place.files))

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "part": self.word, "role": self.role, "title": self.title, "vae_of": self.vae,
            "missing": self.missing, "needed_by": _paths(self.needed_by),
            "served_by": _paths(self.served_by), "inside": _paths(self.inside),
            "possible": _paths(self.possible), "names": list(self.names),
            "repositories": [place.repository for place in self.places if place.repository],
            "published": [known.to_json() for known in self.published],
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededModel:
    """An architecture that LoRAs and the like are for, and of which the library has no model."""

    architecture: str
    needed_by: tuple[FoundFile, ...]

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {"architecture": self.architecture, "needed_by": _paths(self.needed_by)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the models of a library need besides, what is missing first."""

    parts: tuple[NeededPart, ...]
    models: tuple[NeededModel, ...]

    @property
    def missing(self) -> bool:
        """Whether anything is."""
        return bool(self.models) or any(part.missing for part in self.parts)

    def to_json(self) -> dict[str, object]:
        """Return it for a JSON document."""
        return {
            "missing": self.missing, "parts": [part.to_json() for part in self.parts],
            "models": [model.to_json() for model in self.models],
        }  # fmt: skip


def needs_of(library: Library, condition: Condition) -> Needs:
    """Return what the models that fit `condition` need; all of the library may serve them.

    Raises:
        KannaError: the library cannot be read.
    """
    wanted: dict[tuple[str, str | None], list[int]] = defaultdict(list)
    rows = library.rows(
        "SELECT file.id, file.architecture,"
        " json_extract(identity.document, '$.missing_parts') AS parts"
        f" FROM file JOIN identity ON identity.file = file.id WHERE {condition.sql}"
        f" AND file.kind IN {_MODELS} AND {_THERE}"
        " AND json_array_length(identity.document, '$.missing_parts') > 0"
        " ORDER BY file.name COLLATE NOCASE, file.id",
        condition.values,
    )
    for row in rows:
        own = family(row["architecture"] or "")
        for word in json.loads(row["parts"]):
            vae = (own.vae or own.name) if word == "vae" and own is not None else None
            wanted[word, vae].append(row["id"])
    offers = [*_offers(library)] if wanted else []
    parts = [_part(library, key, numbers, offers) for key, numbers in wanted.items()]
    parts.sort(key=lambda part: (not part.missing, -len(part.needed_by), part.word))
    return Needs(parts=tuple(parts), models=tuple(_models(library, condition)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A part that the library has: in which file, and whether that is all of the file.

    `words` are the variants that it may be, `architectures` those that it may be of.
    """

    file: int
    whole: bool
    role: str
    words: frozenset[str]
    architectures: frozenset[str]

    def serves(self, word: str, vae: str | None) -> bool:
        """Whether it may be the part `word`, of a VAE the one for the latents of `vae`."""
        if word == "vae":
            fits = any(vae_fits(theirs, vae or "") for theirs in self.architectures)
            return self.role == "vae" and fits and not self.words & _PREVIEWS
        return word == self.role or (self.role != "vae" and word in self.words)

    def is_sure(self, word: str, vae: str | None) -> bool:
        """Whether it can be nothing else."""
        if word == "vae":
            return all(vae_fits(theirs, vae or "") for theirs in self.architectures)
        return word == self.role or len(self.words) == 1


def _offers(library: Library) -> Iterator[_Offer]:
    """Yield every VAE, text encoder and vision encoder of the library."""
    rows = library.rows(
        "SELECT file.id, file.kind, one.value AS part FROM file"
        " JOIN identity ON identity.file = file.id, json_each(identity.document, '$.parts') AS one"
        f" WHERE {_THERE} AND json_extract(one.value, '$.role') <> 'diffusion_model'"
        " AND json_extract(one.value, '$.complete') IS NOT 0"
        f" AND file.kind NOT IN {ADAPTERS}"
    )
    for row in rows:
        part: Mapping[str, Any] = json.loads(row["part"])
        yield _Offer(
            file=row["id"], whole=row["kind"] == part["role"], role=part["role"],
            words=_either(part, "variant"), architectures=_either(part, "architecture"),
        )  # fmt: skip


def _either(part: Mapping[str, Any], key: str) -> frozenset[str]:
    """Return what a part is or, where that is open, all that it may be."""
    own = part.get(key)
    return frozenset({own} if own else part.get(f"{key}_candidates") or ())


def _part(
    library: Library, key: tuple[str, str | None], numbers: list[int], offers: Iterable[_Offer]
) -> NeededPart:
    word, vae = key
    found = [offer for offer in offers if offer.serves(word, vae)]
    sure = [offer for offer in found if offer.is_sure(word, vae)]
    where = places(word, vae)
    return NeededPart(
        word=word, role=need(word, "", vae).role, vae=vae,
        needed_by=_files(library, numbers),
        served_by=_files(library, [offer.file for offer in sure if offer.whole]),
        inside=_files(library, [offer.file for offer in sure if not offer.whole]),
        possible=_files(library, [offer.file for offer in found if offer not in sure]),
        places=where, published=tuple(_published(where)),
    )  # fmt: skip


def _published(where: Iterable[Place]) -> Iterator[Known]:
    """Yield the published files with a usual name of the part and a known digest."""
    names = {name.rpartition("/")[2] for place in where for name in place.files}
    generic = {"model", "diffusion_pytorch_model"}
    for row in known_models():
        stem = row.filename.partition(".")[0]
        if row.sha256 and row.filename in names and stem not in generic:
            yield row


def _models(library: Library, condition: Condition) -> Iterator[NeededModel]:
    rows = library.rows(
        "SELECT file.architecture, group_concat(file.id) AS files FROM file"
        f" WHERE {condition.sql} AND {_THERE} AND file.kind IN {ADAPTERS}"
        " AND file.architecture IS NOT NULL AND file.architecture NOT IN"
        f" (SELECT architecture FROM file WHERE {_THERE} AND kind IN {_MODELS}"
        " AND architecture IS NOT NULL) GROUP BY file.architecture"
        " ORDER BY count(*) DESC, file.architecture",
        condition.values,
    )
    for row in rows:
        numbers = [int(number) for number in row["files"].split(",")]
        yield NeededModel(architecture=row["architecture"], needed_by=_files(library, numbers))


def _files(library: Library, numbers: Iterable[int]) -> tuple[FoundFile, ...]:
    """Return files by their numbers, each once, in the order of their names."""
    wanted = json.dumps(sorted(set(numbers)))
    rows = library.rows(
        "SELECT * FROM file WHERE id IN (SELECT value FROM json_each(?))"
        " ORDER BY name COLLATE NOCASE, id",
        (wanted,),
    )
    return files_of(library, rows)


def _paths(files: Iterable[FoundFile]) -> list[str]:
    return [str(file.path) for file in files]
