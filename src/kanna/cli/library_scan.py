"""`kanna library scan`: what is new in the folders, what is gone, and the hashes of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from kanna import api
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option
from kanna.cli.outcome import note_documents, note_lines
from kanna.cli.output import print_json, styled
from kanna.cli.progress import LongBar
from kanna.errors import Interrupted
from kanna.messages import say, size_text

_COUNTS: Final = ("new", "changed", "moved", "back", "gone", "unchanged", "broken", "hashed")


@click.command("scan", cls=Verb, room="library_scan")
@click.argument("folders", metavar="[FOLDER]...", nargs=-1)
@option("--no-hash", text="library_scan.option_no_hash", is_flag=True)
@option("--parts", text="library_scan.option_parts", is_flag=True)
@option("--full", text="library_scan.option_full", is_flag=True)
@option("--dry-run", text="library_scan.option_dry_run", is_flag=True)
@option("--threads", text="convert.option_threads", type=click.IntRange(1, 64))
@which_library
@common
def scan(
    folders: tuple[str, ...], *, no_hash: bool, parts: bool, full: bool, dry_run: bool,
    threads: int | None, library: Path | None, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """Bring the library up to date."""
    options = api.LibraryScanOptions(
        hash=not no_hash, parts=parts, full=full, dry_run=dry_run, threads=threads
    )
    try:
        with _Bar(hidden=as_json or quiet) as bar:
            done = api.library_scan(folders, options, library=library, progress=bar)
    except KeyboardInterrupt:
        raise Interrupted("library_scan.interrupted") from None
    if as_json:
        print_json(_document(done, dry_run=dry_run))
    elif not quiet:
        click.echo("\n".join(_lines(done, dry_run=dry_run, verbose=verbose)))
    return 0


def _lines(done: api.LibraryScanned, *, dry_run: bool, verbose: bool) -> Iterator[str]:
    for table, counts in (("models", done.models), ("images", done.images)):
        values = counts.to_json()
        if any(values.values()):
            told = [say(f"library_scan.{name}", count=values[name])
                    for name in _COUNTS if values[name]]  # fmt: skip
            yield f"{say(f'library_scan.{table}')}  {say('library_scan.separator').join(told)}"
    for root in done.missing:
        yield f"  {styled('!', 'yellow', 'bold')} " + say("library_scan.missing", path=root.path)
    yield from note_lines(done.notes, verbose=verbose)
    if done.models.broken:
        yield "  " + say("library_scan.see_broken")
    key = "library_scan.would" if dry_run else "library_scan.done"
    yield styled(say(key, seconds=f"{done.seconds:.1f}"), "dim")


def _document(done: api.LibraryScanned, *, dry_run: bool) -> dict[str, object]:
    return {
        "models": done.models.to_json(), "images": done.images.to_json(),
        "missing": [str(root.path) for root in done.missing],
        "notes": note_documents(done.notes), "seconds": round(done.seconds, 3),
        "dry_run": dry_run,
    }  # fmt: skip


class _Bar(LongBar):
    """Shows how many files were read, then how many bytes were hashed."""

    def __call__(self, progress: api.LibraryScanProgress) -> None:
        hashing = progress.stage == "hash"
        done = progress.bytes_done if hashing else progress.read
        total = progress.bytes_total if hashing else progress.asked
        text = (
            f"{size_text(done)} / {size_text(total)}" if hashing
            else say("library_scan.bar_counts", read=progress.read, asked=progress.asked,
                     seen=progress.seen)
        )  # fmt: skip
        self.show(progress.seconds, done, total, say(f"library_scan.bar_{progress.stage}"), text)
