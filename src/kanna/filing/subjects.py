"""What a person names, as the files that it is made of, and the companions beside it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kanna.disk import InputFile, absolute
from kanna.disk.moving import Entry, look, look_through
from kanna.errors import FormatError, Incomplete, KannaError, UsageError
from kanna.filing.companions import (
    INDEX,
    Belonging,
    Listing,
    belongings,
    is_model,
    models_of,
    owner_of_vae,
    stem_of,
)
from kanna.formats import strict_json
from kanna.formats.sharded import is_plain
from kanna.formats.weights import find_weights, list_files
from kanna.model import Note

_INDEX_LIMIT: Final = 32_000_000
_MODEL_INDEX: Final = "model_index.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file, link or folder of a subject. `shared` says that models which stay need it, too."""

    path: Path
    role: str
    entry: Entry
    tree: tuple[tuple[str, Entry], ...] = ()
    shared: bool = False

    @property
    def size(self) -> int:
        """Its bytes, with all that is in it."""
        files = (entry.state.size for _, entry in self.tree if entry.kind == "file")
        return sum(files) if self.entry.kind == "folder" else self.entry.state.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The models of one stem that were named, with all that belongs to them; models come first."""

    path: Path
    stem: str
    members: tuple[Member, ...]
    notes: tuple[Note, ...] = ()


def subjects_of(paths: Iterable[Path]) -> Iterator[Subject | tuple[Path, Exception]]:
    """Yield what is named, each once: a companion that was named with its model goes with it.

    What cannot be filed comes as a pair of its path and the error.
    """
    listings: dict[Path, Listing] = {}
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in dict.fromkeys(map(absolute, paths)):
        groups.setdefault((path.parent, stem_of(path.name)), []).append(path)
    made: list[Subject | tuple[Path, Exception]] = []
    for (folder, stem), named in groups.items():
        try:
            if folder not in listings:
                listings[folder] = Listing.of(folder)
            made.append(_subject(stem, named, listings[folder]))
        except FileNotFoundError:
            made.append((named[0], Incomplete("disk.missing", path=named[0])))
        except (OSError, KannaError) as error:
            made.append((named[0], error))
    yield from _each_once(made)


def _each_once(
    made: list[Subject | tuple[Path, Exception]],
) -> Iterator[Subject | tuple[Path, Exception]]:
    """Yield all but what goes along with another one."""
    along = {
        member.path
        for subject in made
        if isinstance(subject, Subject)
        for member in subject.members
        if member.path != subject.path
    }
    for subject in made:
        if not (isinstance(subject, Subject) and subject.path in along):
            yield subject


def _subject(stem: str, named: list[Path], listing: Listing) -> Subject:
    folder = named[0].parent
    models = [member for path in named for member in _made_of(path)]
    there = {member.path.name for member in models}
    notes = [note for path in named for note in _lacks(path, there)]
    stay = bool(set(models_of(stem, listing)) - there)
    beside = {
        one.name: one
        for model in models
        for one in _belonging(model, stem, listing)
        if one.name not in there and not (model.role == "shard" and one.shared)
    }
    companions = [
        Member(path=folder / one.name, role=one.role, entry=entry, shared=one.shared and stay)
        for one in beside.values()
        if (entry := look(folder / one.name)) is not None and entry.kind in {"file", "link"}
    ]
    notes += [
        Note("filing.vae_of", {"name": path.name, "owner": owner})
        for path in named
        if (owner := owner_of_vae(path.name, listing)) is not None
    ]
    return Subject(path=named[0], stem=stem, members=(*models, *companions), notes=tuple(notes))


def _lacks(path: Path, there: Container[str]) -> Iterator[Note]:
    """Yield a remark on each shard that an index names, and that is not there to go with it."""
    if _is_index(path):
        for name in _shards(path):
            if name not in there:
                yield Note("filing.shard_missing", {"name": name}, warning=True)


def _belonging(model: Member, stem: str, listing: Listing) -> Iterator[Belonging]:
    """Yield the companions of a model; a file that is none has those of its whole name."""
    if model.entry.kind == "folder" or is_model(model.path.name, stem) or model.role == "shard":
        yield from belongings(model.path.name, listing)
    else:
        yield from (one for one in belongings(model.path.name, listing) if not one.shared)


def _made_of(path: Path) -> Iterator[Member]:
    """Yield what a named path consists of: itself, and the shards of an index that are there.

    Raises:
        Incomplete: there is no such file.
        FormatError: it is no file or folder.
        UsageError: it is a folder that is no model.
        OSError: it cannot be looked at.
    """
    entry = look(path)
    if entry is None:
        raise Incomplete("disk.missing", path=path)
    if entry.kind == "other":
        raise FormatError("disk.not_a_file", path=path)
    if entry.kind == "folder":
        yield _folder(path, entry)
        return
    shards = _shards(path) if _is_index(path) else []
    yield Member(path=path, role="index" if shards else "model", entry=entry)
    for name in shards:
        shard = look(path.with_name(name))
        if shard is not None and shard.kind in {"file", "link"}:
            yield Member(path=path.with_name(name), role="shard", entry=shard)


def _folder(path: Path, entry: Entry) -> Member:
    files, subfolders = list_files(path)
    if _MODEL_INDEX not in files and not find_weights(path, files):
        parts = [path / name for name in subfolders]
        if not any(find_weights(part, list_files(part)[0]) for part in parts if part.is_dir()):
            raise UsageError("filing.no_model_folder", path=path)
    tree = tuple(look_through(path))
    strange = next((name for name, one in tree if one.kind == "other"), None)
    if strange is not None:
        raise FormatError("disk.not_a_file", path=path / strange)
    return Member(path=path, role="folder", entry=entry, tree=tree)


def _is_index(path: Path) -> bool:
    return INDEX.fullmatch(path.name) is not None


def _shards(path: Path) -> list[str]:
    """Return the shards that an index names; one that is broken is a file like any other."""
    try:
        with closing(InputFile(path)) as file:
            index = strict_json.load(file, limit=_INDEX_LIMIT)
    except KannaError:
        return []
    named = index.get("weight_map")
    values = named.values() if isinstance(named, dict) else ()
    return [name for name in dict.fromkeys(values) if isinstance(name, str) and is_plain(name)]
