"""Which files made a picture: every model that it names, looked up in the library.

What no file is found for is named by the table of published models, as far as that knows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from kanna.api.infotext_reading import read_infotext
from kanna.api.infotext_values import Infotext
from kanna.api.looking_up import LookOptions, matcher_for
from kanna.api.picture_embeddings import embeddings_in_prompts
from kanna.api.reading import StrPath
from kanna.catalog.matching import Match, Matcher, match_all
from kanna.catalog.matching_grades import ORDER
from kanna.catalog.matching_groups import distinct, grouped, names_something
from kanna.catalog.store import Library
from kanna.errors import FormatError, Incomplete
from kanna.hashing.cache import HashCache
from kanna.hashing.place import existing_cache
from kanna.hashing.resolving import Hit
from kanna.infotext import open_text
from kanna.infotext.info import GenerationInfo, ModelReference, Role
from kanna.model import Note

# ``found`` for certain; ``likely`` and ``possible`` by what speaks for a file; ``missing``: it is
# known what it is, but no file of it; ``unknown``: nothing but digits that nobody knows.
State: TypeAlias = Literal["found", "likely", "possible", "missing", "unknown"]
_ROLES: Final = get_args(Role)  # in the order in which people ask for them
_STATES: Final[dict[str, State]] = {"certain": "found", "likely": "likely", "possible": "possible"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A model that a picture names, in however many places, and what it may be.

    `references` say the same thing; the first has all that they say. `known` are published files.
    """

    references: tuple[ModelReference, ...]
    matches: tuple[Match, ...]
    known: tuple[Hit, ...]
    state: State
    notes: tuple[Note, ...] = ()

    @property
    def reference(self) -> ModelReference:
        """The reference that says most."""
        return self.references[0]

    @property
    def match(self) -> Match | None:
        """The file that it most probably is, None where none is there."""
        first = self.matches[0] if self.matches else None
        return first if first is not None and first.present and self.state in _HERE else None


_HERE: Final = frozenset(_STATES.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureModels:
    """A picture or a text, and the models that it names.

    `library` is the one that was asked, None where there is none.
    """

    path: Path
    info: GenerationInfo
    models: tuple[NamedModel, ...]
    library: Path | None
    notes: tuple[Note, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there may be a file for everything that is named."""
        return all(model.state in _HERE for model in self.models)


def models_of_picture(
    path: StrPath, options: LookOptions | None = None, *, text: str | bytes | None = None
) -> PictureModels:
    """Return the models that the picture or the text file at `path` names, and their files.

    `text` is what stands there if `path` is ``-``; bytes are UTF-8.

    Raises:
        Incomplete: it says nothing of how it was made, or there is no such library.
        KannaError: the picture or the library cannot be read.
    """
    options = options or LookOptions()
    found = read_infotext(path) if text is None else None
    info = found.info if found is not None else _info_of(_decoded(text or "", path))
    if info is None:
        raise Incomplete("which.no_infotext", path=path)
    with matcher_for(options) as matcher:
        models = named_models(info, matcher)
    return PictureModels(
        path=Path(path), info=info, models=models, library=options.library_path,
        notes=(*(found.notes if isinstance(found, Infotext) else ()), *info.notes),
    )  # fmt: skip


def resolve_models(info: GenerationInfo, library: Library | None) -> tuple[NamedModel, ...]:
    """Return the models that `info` names, and their files in the library and on this machine.

    For many pictures take `kanna.api.looking_up.matcher_for` and `named_models`: what was looked
    up once is known then.

    Raises:
        KannaError: the library cannot be read.
    """
    place = existing_cache()
    with HashCache(place) if place is not None else nullcontext() as cached:
        return named_models(info, Matcher(library, cached))


def named_models(info: GenerationInfo, matcher: Matcher) -> tuple[NamedModel, ...]:
    """Return the models that `info` names, as `matcher` knows them.

    Raises:
        KannaError: the library cannot be read.
    """
    references = [one for one in info.models if one.digest or names_something(one)]
    groups = sorted(grouped(references), key=lambda group: _ROLES.index(group[0].role))
    named = [_resolved(group, matcher) for group in groups]
    found = embeddings_in_prompts(info, matcher.shelves)
    return (*named, *(_of_prompt(reference, match) for reference, match in found))


def _decoded(text: str | bytes, path: StrPath) -> str:
    try:
        return text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("infotext.not_utf8", path=path, offset=error.start) from error


def _info_of(text: str) -> GenerationInfo | None:
    editable = open_text(text)
    return None if editable is None else editable.info


def _of_prompt(reference: ModelReference, match: Match) -> NamedModel:
    state = _STATES[match.certainty]
    return NamedModel(references=(reference,), matches=(match,), known=(), state=state)


def _resolved(group: Sequence[ModelReference], matcher: Matcher) -> NamedModel:
    asked = list(distinct(group))
    matches = match_all(matcher, asked)
    known = tuple({hit.content: hit for one in asked for hit in matcher.published(one)}.values())
    return NamedModel(
        references=(replace(group[0], name=asked[0].name, digest=asked[0].digest), *group[1:]),
        matches=matches, known=known, state=_state(asked, matches, known),
        notes=tuple(_notes(asked, matches, known)),
    )  # fmt: skip


def _state(
    asked: Sequence[ModelReference], matches: Sequence[Match], known: Sequence[Hit]
) -> State:
    there = [one for one in matches if one.present and not one.contradicts]
    if there:
        return _STATES[min((one.certainty for one in there), key=ORDER.index)]
    told = any(names_something(one) for one in asked) or bool(known) or bool(matches)
    return "missing" if told else "unknown"


def _notes(
    asked: Sequence[ModelReference], matches: Sequence[Match], known: Sequence[Hit]
) -> Iterable[Note]:
    """Yield what to keep in mind: digests that collide, that lie, that are those of names."""
    meanings = {word for one in matches for word in (one.meaning, *one.also)}
    contents = {
        one.sha256 or str(one.path) for one in matches if "autov1" in (one.meaning, *one.also)
    }
    contents |= {hit.content for hit in known if hit.meaning == "autov1"}
    if len(contents) > 1:
        yield Note("which.several_autov1", {"count": len(contents)})
    if _vae_hash_lies(asked, matches):
        yield Note("which.vae_hash_lies", {"name": asked[0].name, "digits": asked[0].digest})
    if "name_hash" in meanings:
        yield Note("which.name_hash")


def _vae_hash_lies(asked: Sequence[ModelReference], matches: Sequence[Match]) -> bool:
    """Whether the name of a VAE and its hash are those of two files."""
    digits = asked[0].digest or ""
    if asked[0].role != "vae" or len(digits) != 10 or not asked[0].name:
        return False
    if any(one.meaning == "vae_hash" for one in matches if not one.contradicts):
        return False
    return any(one.contradicts or (one.sha256 or digits)[:10] != digits for one in matches)
