"""The option of every verb that asks the library: which one."""

from __future__ import annotations

from pathlib import Path

import click

from kanna.cli.options import option

# gives the verb `library`: a path, or None for the user's own
which_library = option(
    "--library", text="library.option_library", metavar="FILE", type=click.Path(path_type=Path)
)
