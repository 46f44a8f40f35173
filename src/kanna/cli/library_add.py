"""`kanna library add`, `roots`, `forget`: which folders are looked through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import click

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option
from kanna.cli.outcome import note_documents
from kanna.cli.output import note_line, print_json, print_notice, styled, table
from kanna.errors import UsageError
from kanna.messages import say, shown


@click.command("add", cls=Verb, room="library_add")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True)
@option(
    "--role",
    text="library_add.option_role",
    type=click.Choice(["active", "backup"]),
    default="active",
)
@option("--images", text="library_add.option_images", is_flag=True)
@option("--models", text="library_add.option_models", is_flag=True)
@option("--dry-run", text="library_add.option_dry_run", is_flag=True)
@which_library
@common
def add(
    folders: tuple[str, ...], *, role: api.LibraryRole, images: bool, models: bool, dry_run: bool,
    library: Path | None, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Take up every folder; one that is not there does not stop the others."""
    del verbose
    if images and models:
        raise UsageError("library_add.one_of_both")
    content: api.LibraryContent = "images" if images else "models" if models else "both"
    batch = Batch(as_json=as_json, quiet=quiet, spaced=True)
    new: set[Path] = set()
    for folder in folders:
        with batch.attempt(folder):
            (added,) = api.library_add([folder], role=role, content=content, dry_run=dry_run,
                                       library=library)  # fmt: skip
            new |= {root.path for root in added.new}
            batch.add(_document(added), partial(_lines, added))
    if new and not (as_json or quiet):
        print_notice("library_add.would" if dry_run else "library_add.next", count=len(new))
    return batch.close(several=len(folders) > 1)


@click.command("roots", cls=Verb, room="library_roots")
@which_library
@common
def roots(*, library: Path | None, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Show the folders that are looked through."""
    del verbose
    found = api.library_roots(library=library)
    if as_json:
        print_json([root.to_json() for root in found])
        return 0
    if not found and not quiet:
        print_notice("library_roots.none")
    for source in dict.fromkeys(root.source for root in found):
        mine = [root for root in found if root.source == source]
        click.echo(styled(shown(source), "bold") + _whose(mine[0].program))
        click.echo("\n".join(_root_lines(mine)))
    return 0


@click.command("forget", cls=Verb, room="library_forget")
@click.argument("folder", metavar="FOLDER")
@option("--force", text="library_forget.option_force", is_flag=True)
@option("--dry-run", text="library_forget.option_dry_run", is_flag=True)
@which_library
@common
def forget(
    folder: str, *, force: bool, dry_run: bool, library: Path | None, as_json: bool, quiet: bool,
    verbose: bool,
) -> int:  # fmt: skip
    """Take a folder out of the library; its files stay as they are."""
    del verbose
    loss = api.library_forget(folder, force=force, dry_run=dry_run, library=library)
    if as_json:
        print_json({
            "roots": [root.to_json() for root in loss.roots], "models": loss.files,
            "images": loss.images, "tagged": loss.tagged, "noted": loss.noted,
            "dry_run": dry_run,
        })  # fmt: skip
    elif not quiet:
        click.echo("\n".join(_root_lines(loss.roots)))
        key = "library_forget.would" if dry_run else "library_forget.done"
        print_notice(key, models=loss.files, images=loss.images, tagged=loss.tagged,
                     noted=loss.noted)  # fmt: skip
    return 0


def _lines(added: api.LibraryAdded) -> Iterator[str]:
    count = len(added.new)
    news = say("library_add.new", count=count) if count else say("library_add.known")
    yield styled(shown(added.source), "bold") + _whose(added.program) + f"  {news}"
    yield from _root_lines(added.roots, {root.id for root in added.new})
    yield from map(note_line, added.notes)


def _whose(program: str | None) -> str:
    return f"  {say(f'library_roots.program_{program}')}" if program else ""


def _root_lines(roots: Sequence[api.LibraryRoot], new: set[int] | None = None) -> list[str]:
    return table([
        [
            styled("+", "green") if new and root.id in new else " ",
            _holds(root),
            "" if root.role == "active" else say("library_roots.backup"),
            shown(root.path) + ("" if root.is_there else "  " + _missing()),
        ]
        for root in roots
    ])  # fmt: skip


def _missing() -> str:
    return styled(say("library_roots.missing"), "yellow")


def _holds(root: api.LibraryRoot) -> str:
    """Return what is kept in a folder."""
    if root.kind and root.content == "models":
        return say(f"inspect.part_{root.kind}")
    return say(f"library_roots.{root.content}")


def _document(added: api.LibraryAdded) -> dict[str, object]:
    return {
        "source": str(added.source), "program": added.program,
        "roots": [root.to_json() for root in added.roots],
        "new": [str(root.path) for root in added.new], "notes": note_documents(added.notes),
    }  # fmt: skip
