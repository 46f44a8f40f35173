"""The options of verbs that run a plan, and what they make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.api import RunOptions
from kanna.cli.options import Command, option
from kanna.dtypes import TARGETS

# the parts as options name them, and as the identity document does
_PARTS: Final = {"unet": "diffusion_model", "te": "text_encoder", "vae": "vae", "ema": "ema"}


def running(command: Command) -> Command:
    """Add ``--allow-overflow``, ``--no-hash`` and whatever else every run can be asked for."""
    for decorate in (
        option("--threads", text="convert.option_threads", type=click.IntRange(1, 64)),
        option("--force", text="convert.option_force", is_flag=True),
        option("--dry-run", text="convert.option_dry_run", is_flag=True),
        option("--verify", text="convert.option_verify", default="header",
               type=click.Choice(api.words("verify"))),
        option("--no-hash", text="convert.option_no_hash", is_flag=True),
        option("--allow-overflow", text="convert.option_allow_overflow", is_flag=True),
    ):  # fmt: skip
        command = decorate(command)
    return command


def by_part(command: Command) -> Command:
    """Add ``--dtype``, and one such option for each kind of part."""
    words = click.Choice(TARGETS)
    for part in reversed(_PARTS):
        command = option(f"--{part}-dtype", text=f"convert.option_{part}_dtype", type=words)(
            command
        )
    return option("--dtype", text="convert.option_dtype", type=words)(command)


def dtypes_by_role(given: Mapping[str, Any]) -> dict[str, str]:
    """Return the dtypes that were asked for by part, of the options that `by_part` adds."""
    asked = {role: given[f"{part}_dtype"] for part, role in _PARTS.items()}
    return {role: dtype for role, dtype in asked.items() if dtype}


def run_options(given: Mapping[str, Any]) -> RunOptions:
    """Return how to run a plan, of the options that `running` adds."""
    return RunOptions(
        threads=given["threads"], verify=given["verify"], force=given["force"],
        allow_overflow=given["allow_overflow"],
    )  # fmt: skip


def folder_for_several(files: Sequence[Path], output: str | None) -> str | None:
    """Return `output`, as a folder where there are several files.

    Raises:
        UsageError: two of them would get the same name there.
    """
    if len(files) < 2:
        return output
    folder = output if output is None or output.endswith("/") else f"{output}/"
    api.check_names(files, folder)
    return folder
