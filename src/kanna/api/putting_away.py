"""What an inbox does with files: models with all that lies beside them, moved under a journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from kanna.api.library_adding import library_roots
from kanna.api.library_filing import carry_out_filing, plan_filing
from kanna.api.library_scan_values import LibraryScanOptions
from kanna.api.library_scanning import library_scan
from kanna.catalog.place import existing_library, library_path
from kanna.catalog.store import Library, path_of
from kanna.engine import publish
from kanna.errors import KannaError, UnknownModel
from kanna.families.places import folders
from kanna.filing.values import FilingPlan
from kanna.inbox.reports import JSON_SUFFIX, TEXT_SUFFIX, Reason, report_json, report_text

# The model itself, and what is true of its bytes alone, which are others after a conversion.
_OF_THE_ORIGINAL: Final = ("model", "index", "shard", "folder", "digest", "optimizer")


def put_away(path: Path, folder: Path, *, dry_run: bool) -> Path:
    """Move a model with its companions to `folder`, and return where it is.

    Raises:
        OutputExists: something else has its name there.
        KannaError: it cannot be moved.
    """
    planned = plan_filing("move", [path], to=folder)
    if planned.refused:
        raise planned.refused[0][1]
    if not dry_run:
        _carry_out(planned)
    return dict(planned.made())[path]


def put_aside(path: Path, folder: Path, reasons: Sequence[Reason] = ()) -> Path:
    """Move a model with its companions to `folder`, under a free name, and say there why.

    Raises:
        KannaError: it cannot be moved.
    """
    planned = plan_filing("move", [path], to=folder, on_conflict="rename")
    _carry_out(planned)
    aside = dict(planned.made())[path]
    if reasons:
        when = datetime.now().astimezone().isoformat(timespec="seconds")
        for suffix, report in ((TEXT_SUFFIX, report_text), (JSON_SUFFIX, report_json)):
            place = aside.with_name(aside.name + suffix)
            publish(place, report(path, when, reasons), force=True)
    return aside


def put_in_trash(path: Path) -> Path:
    """Put a model with its companions into the trash, and return where it is there.

    Raises:
        KannaError: it cannot be moved there.
    """
    planned = plan_filing("trash", [path])
    _carry_out(planned)
    return dict(planned.made())[path]


def beside_output(path: Path, output: Path) -> None:
    """Copy what lies beside the model at `path` to what was made of it, where nothing is yet.

    Raises:
        KannaError: it cannot be copied.
    """
    _carry_out(
        plan_filing("copy", [path], to=output.parent, on_conflict="skip", without=_OF_THE_ORIGINAL)
    )


def library_folder(kind: str) -> Path:
    """Return the library's folder for models of `kind`: one for it alone, else its program's.

    Raises:
        UnknownModel: there is none.
        KannaError: the library cannot be read.
    """
    with closing(Library(library_path(), make=False)) as library:
        roots = library.rows(
            "SELECT path, program, kind FROM root WHERE role = 'active' AND content != 'images' "
            "ORDER BY id"
        )
    places = [(path_of(row["path"]), row) for row in roots]
    for path, row in places:
        if row["kind"] == kind and path.is_dir():
            return path
    for path, row in places:  # forge keeps diffusion models among its checkpoints
        wanted = folders(kind).get(row["program"] or "")
        if wanted is not None and path.as_posix().endswith(f"/{wanted}") and path.is_dir():
            return path
    raise UnknownModel("watch.no_root", kind=kind)


def tell_library(models: Collection[Path]) -> None:
    """Let the library know of models that are in its folders now; a scan hashes them later.

    It need not succeed: the next scan finds them, too.
    """
    if not models or existing_library() is None:
        return
    with suppress(KannaError):
        roots = [root.path for root in library_roots()]
        folders = {
            model.parent for model in models if any(model.is_relative_to(root) for root in roots)
        }
        if folders:
            library_scan(sorted(folders), LibraryScanOptions(hash=False))


def _carry_out(planned: FilingPlan) -> None:
    for outcome in carry_out_filing(planned).outcomes:
        if outcome.error is not None:
            raise outcome.error
