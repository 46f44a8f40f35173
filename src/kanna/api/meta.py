"""A file's metadata: read for people, set, taken out; its tensor data is never touched."""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final

from kanna.api.meta_job import HASH, EditJob
from kanna.api.meta_values import DigestEffects, Edited, EditOptions, FileMetadata
from kanna.api.reading import StrPath, identified
from kanna.disk import InputFile, as_path, is_remote
from kanna.disk.undo import is_open_elsewhere
from kanna.engine import Progress, publish
from kanna.engine.meter import Meter
from kanna.engine.new_header import head_of, room_in
from kanna.engine.rewriting import data_sha256
from kanna.errors import FormatError, Incomplete, UsageError
from kanna.formats import open_model, strict_json
from kanna.identity import Identity
from kanna.metadata.companions import SOURCES, find_companions, find_previews
from kanna.metadata.editing import Edit, resolved, with_fields, without
from kanna.metadata.filling import fill
from kanna.metadata.grouping import grouped
from kanna.metadata.importing import imported
from kanna.metadata.keeping import leaks
from kanna.metadata.modelspec import read_spec
from kanna.metadata.thumbnail import extract_thumbnail, make_thumbnail
from kanna.metadata.training import read_training
from kanna.model import ModelFile, Note

THUMBNAIL: Final = "modelspec.thumbnail"
COMPANIONS: Final = tuple(SOURCES)
_LARGEST_FIELDS: Final = 64 << 20  # bytes of a file of fields

__all__ = [
    "COMPANIONS", "DigestEffects", "EditOptions", "Edited", "FileMetadata", "read_fields",
    "read_metadata", "set_metadata", "strip_metadata", "write_thumbnail",
]  # fmt: skip


def read_metadata(path: StrPath) -> FileMetadata:
    """Return what the file at `path` says about itself, and what files beside it say.

    Raises:
        KannaError: the file is broken or not there.
    """
    with open_model(path) as model:
        identity = identified(model, compare_ema=False)
        head = head_of(model.files[0]) if model.container == "safetensors" else None
        fields = dict(model.metadata)
        return FileMetadata(
            path=as_path(path),
            container=model.container,
            kind=identity.kind,
            architecture=identity.architecture,
            fields=fields,
            groups=grouped(fields),
            spec=read_spec(fields, identity.kind),
            training=read_training(fields),
            extras=model.extras,
            leaks=leaks(fields),
            contradictions=tuple(
                n for n in identity.evidence if n.key.endswith(".metadata_differs")
            ),
            header=None if head is None else len(head),
            room=None if head is None or is_remote(path) else room_in(head),
            companions=() if is_remote(path) else find_companions(as_path(path)),
            previews=() if is_remote(path) else find_previews(as_path(path)),
        )


def write_thumbnail(path: StrPath, destination: StrPath, *, force: bool = False) -> None:
    """Write the thumbnail inside the file at `path` to a picture file.

    Raises:
        Incomplete: there is none.
        FormatError: what is there is no picture.
        UsageError: no picture has the suffix of `destination`.
        OutputExists: `destination` exists, and `force` was not given.
    """
    with open_model(path) as model:
        url = model.metadata.get(THUMBNAIL)
    if not url:
        raise Incomplete("meta.no_thumbnail", path=path)
    picture = extract_thumbnail(url, Path(destination).suffix, as_path(path))
    publish(destination, picture, force=force)


def read_fields(path: StrPath) -> dict[str, Any]:
    """Return the fields that a TOML or JSON file lists; tables stand for beginnings of keys.

    Raises:
        FormatError: it is neither, or no list of fields.
        Incomplete: it is not there.
    """
    place = Path(path)
    with closing(InputFile(place)) as file:
        if place.suffix.lower() != ".toml":
            return _flat(strict_json.load(file, limit=_LARGEST_FIELDS))
        try:
            text = file.read(0, min(file.size, _LARGEST_FIELDS)).decode()
            return _flat(tomllib.loads(text))
        except (ValueError, RecursionError) as error:
            raise FormatError("meta.bad_fields", path=place, reason=error) from error


def set_metadata(
    path: StrPath,
    fields: Mapping[str, object] | None = None,
    *,
    thumbnail: StrPath | None = None,
    modelspec: bool = False,
    digest: bool = True,
    take_over: Iterable[str] = (),
    options: EditOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Edited:
    """Set `fields` of the safetensors file at `path`, by short words or full keys.

    `thumbnail` is a picture to be put in small. `modelspec` fills in what follows from what the
    file is, with `digest` also the SHA-256 of its data, which is read for it unless it is known.
    `take_over` names `COMPANIONS` whose files beside the model fill what is still empty.

    Raises:
        UsageError: a value does not have the form of its field, or the file must not be edited.
        Incompatible: the container holds no such metadata.
        KannaError: whatever is wrong with the file or the destination.
    """
    options = options or EditOptions()
    job = EditJob(as_path(path), options, progress, cancel, is_open_elsewhere(path))
    with ExitStack() as stack:
        model = stack.enter_context(job.open())
        given = resolved(job.path, fields or {}, model.metadata)
        if thumbnail is not None:
            given[THUMBNAIL] = make_thumbnail(Path(thumbnail))
        gaps, notes = _gaps(job, take_over)
        if modelspec:
            identity = identified(model, compare_ema=False)
            known = _digest(job, model, identity) if digest else None
            filling = fill(identity, known)
            if digest and known is None:
                notes = (*notes, Note("meta.hash_later", {"key": HASH}, warning=False))
            gaps = gaps | filling.fields
            notes += filling.notes
            given = {k: filling.fields[k] for k in (HASH,) if k in filling.fields} | given
        edit = with_fields(model.metadata, given, gaps)
        return job.carry_out(model, Edit(fields=edit.fields, notes=(*notes, *edit.notes)))


def strip_metadata(
    path: StrPath,
    keys: Iterable[str] = (),
    *,
    everything: bool = False,
    private: bool = False,
    options: EditOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Edited:
    """Take fields out of the safetensors file at `path`: those that `keys` or patterns name.

    `private` takes out what tells of its maker's disk, data and prompts; `everything` takes all but
    what loaders need.

    Raises:
        UsageError: no field has such a name, a loader needs it, or the file must not be edited.
        Incompatible: the container holds no such metadata.
        KannaError: whatever is wrong with the file or the destination.
    """
    options = options or EditOptions()
    job = EditJob(as_path(path), options, progress, cancel, is_open_elsewhere(path))
    with job.open() as model:
        edit = without(job.path, model.metadata, keys, everything=everything, private=private,
                       force=options.run_options.force)  # fmt: skip
        return job.carry_out(model, edit)


def _gaps(job: EditJob, take_over: Iterable[str]) -> tuple[dict[str, str], tuple[Note, ...]]:
    """Return what files beside the model say, as fields, and what is to be said about them.

    Raises:
        UsageError: there are no such files.
    """
    wanted = list(take_over)
    if not wanted:
        return {}, ()
    companions = [one for one in find_companions(job.path) if one.source in wanted]
    if not companions:
        names = ", ".join(job.path.stem + SOURCES[word] for word in wanted)
        raise UsageError("meta.no_companions", path=job.path, names=names)
    notes = [
        Note("meta.unread_companion", {"name": one.path.name, "reason": one.trouble})
        for one in companions if one.trouble is not None
    ]  # fmt: skip
    return imported(companions), tuple(notes)


def _digest(job: EditJob, model: ModelFile, identity: Identity) -> str | None:
    """Return the SHA-256 of the data: from the cache of hashes, else every byte is read.

    In a dry run nothing is read for it.
    """
    known = (identity.hashes or {}).get("data_sha256")
    if isinstance(known, str):
        return known
    if job.options.dry_run:
        return None
    file = model.files[0]
    start = len(head_of(file))
    return data_sha256(file, start, Meter(file.size - start, job.progress, job.cancel))


def _flat(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return a tree of tables as one, with dots between the names."""
    fields: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            fields |= _flat(value, f"{above}{name}.")
        else:
            fields[above + name] = value
    return fields
