"""`kanna infotext extend`: the full digests of the models of a picture, added to its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.infotext_changing import change_each
from kanna.cli.infotext_options import encoding_option, infotext_files, writing
from kanna.cli.library_options import which_library
from kanna.cli.options import Verb, common, option


@click.command("extend", cls=Verb, room="infotext_extend")
@infotext_files
@option("--by-name", text="infotext_extend.option_by_name", is_flag=True)
@which_library
@writing
@encoding_option
@common
def extend(
    files: tuple[Path, ...], *, by_name: bool, library: Path | None, **given: Any
) -> int:  # fmt: skip
    """Extend every file; a failure of one does not stop the others."""
    with api.infotext_extender(api.LookOptions(library=library), by_name=by_name) as extender:

        def change(
            path: Path, *, destination: Path | None, options: api.InfotextOptions
        ) -> api.InfotextChange:
            return extender(path, destination, options)

        return change_each(files, change, given, difference=True)
