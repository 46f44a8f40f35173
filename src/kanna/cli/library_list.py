"""`kanna library list`: the models of the library, one to a line."""

from __future__ import annotations

from pathlib import Path

import click

from kanna import api
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option
from kanna.cli.output import print_json, print_notice, styled, table
from kanna.families import title
from kanna.messages import say, shown, size_text


@click.command("list", cls=Verb, room="library_list")
@option("--kind", "kinds", text="library_list.option_kind", metavar="KIND", multiple=True)
@option(
    "--root",
    "roots",
    text="library_list.option_root",
    metavar="FOLDER",
    multiple=True,
    type=click.Path(path_type=Path),
)
@option("--gone", text="library_list.option_gone", is_flag=True)
@option("--broken", text="library_list.option_broken", is_flag=True)
@option("--limit", text="library_list.option_limit", type=click.IntRange(1))
@which_library
@common
def list_(
    *, kinds: tuple[str, ...], roots: tuple[Path, ...], gone: bool, broken: bool,
    limit: int | None, library: Path | None, as_json: bool, quiet: bool, verbose: bool,
) -> int:  # fmt: skip
    """List the models of the library."""
    options = api.FindOptions(kinds=kinds, roots=roots, gone=gone, broken=broken)
    found = api.library_find(options, limit=limit, library=library)
    if as_json:
        print_json([one.to_json() for one in found])
        return 0
    rows = [[shown(one.path)] if quiet else _row(one, verbose=verbose) for one in found]
    lines = [row[0] for row in rows] if quiet else table(rows, right=(0, 4), indent=0)
    if lines:
        click.echo("\n".join(lines))
    if not quiet:
        print_notice("library_list.count", count=len(found))
    return 0


def _row(one: api.FoundFile, *, verbose: bool) -> list[str]:
    """Return the cells of one model; a broken one has its error in the place of what it is."""
    architecture = title(one.architecture) if one.architecture else ""
    told = [say(f"inspect.part_{one.kind}") if one.kind else "", architecture,
            one.quantization or one.dtype or ""]  # fmt: skip
    if one.error:
        told = [styled(say("library_list.broken"), "red"), shown(one.error_text or ""), ""]
    tags = styled(" ".join(f"+{shown(tag)}" for tag in one.tags), "cyan") if one.tags else ""
    name = shown(one.path if verbose else one.name)
    return [f"#{one.id}", *told, size_text(one.size), name, tags]
