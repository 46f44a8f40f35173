"""`kanna infotext strip`: what tells how a picture was made, taken out of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from kanna import api
from kanna.cli.infotext_changing import change_each
from kanna.cli.infotext_options import infotext_files, writing
from kanna.cli.options import Verb, common, option


@click.command("strip", cls=Verb, room="infotext_strip")
@infotext_files
@option("--all", "everything", text="infotext_strip.option_all", is_flag=True)
@option("--stealth", text="infotext_strip.option_stealth", is_flag=True)
@writing
@common
def strip(files: tuple[Path, ...], *, everything: bool, **given: Any) -> int:
    """Strip every picture; a failure of one does not stop the others."""
    return change_each(files, partial(api.strip_infotext, everything=everything), given)
