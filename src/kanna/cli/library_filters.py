"""Which models of the library are meant: the options of every verb that asks about many."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.cli.options import Command, Verb, option
from kanna.families import title
from kanna.messages import say, shown

_NO: Final = "\0"  # no argument can hold it
_FLAGS_TOGETHER: Final = re.compile("-[hqv]+")
_WORDS: Final = (
    ("--tag", "tags", "library_find.option_tag", "TAG"),
    ("--finding", "findings", "library_find.option_finding", "CODE"),
    ("--container", "containers", "library_find.option_container", "WORD"),
    ("--precision", "precisions", "library_find.option_precision", "DTYPE"),
    ("--variant", "variants", "library_find.option_variant", "VARIANT"),
    ("--family", "families", "library_find.option_family", "FAMILY"),
    ("--kind", "kinds", "library_find.option_kind", "KIND"),
)
_BOUNDS: Final = (
    ("--older", "older", "library_find.option_older", "DATE"),
    ("--newer", "newer", "library_find.option_newer", "DATE"),
    ("--smaller", "smaller", "library_find.option_smaller", "SIZE"),
    ("--larger", "larger", "library_find.option_larger", "SIZE"),
)
_FLAGS: Final = (
    ("--note", "noted", "library_find.option_note"),
    ("--broken", "broken", "library_find.option_broken"),
    ("--unknown", "unknown", "library_find.option_unknown"),
)


class AskingVerb(Verb):
    """A verb that takes ``-word`` for a word that must not occur, not for options in one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Mark such words before options are looked for."""
        return super().parse_args(ctx, [_NO + a[1:] if _is_word(a) else a for a in args])


def with_gone(command: Command) -> Command:
    """Add the option that asks for what is no longer there, where that can be answered."""
    return option("--gone", text="library_find.option_gone", is_flag=True)(command)


def filters(command: Command) -> Command:
    """Add the options that choose models; `chosen` takes what they give."""
    for name, target, text in _FLAGS:
        command = option(name, target, text=text, is_flag=True)(command)
    for name, target, text, metavar in _BOUNDS:
        command = option(name, target, text=text, metavar=metavar)(command)
    command = option(
        "--role", text="library_find.option_role", type=click.Choice(("active", "backup"))
    )(command)
    command = option(
        "--root", "roots", text="library_find.option_root", metavar="FOLDER", multiple=True,
        type=click.Path(path_type=Path),
    )(command)  # fmt: skip
    command = option("--base", text="library_find.option_base", metavar="MODEL")(command)
    for name, target, text, metavar in _WORDS:
        command = option(name, target, text=text, metavar=metavar, multiple=True)(command)
    return click.argument("words", metavar="[WORD]...", nargs=-1)(command)


def chosen(words: tuple[str, ...], given: dict[str, Any]) -> api.FindOptions:
    """Return what the options of `filters` and `with_gone` ask for: all that is in `given`."""
    return api.FindOptions(words=_typed(words), **given)


def model_row(file: api.FoundFile, *, verbose: bool) -> list[str]:
    """Return the cells of one model; with `verbose`, its path in the place of its name."""
    kind = say(f"inspect.part_{file.kind}") if file.kind else ""
    variant = file.variant if file.variant != file.kind else None
    family = " ".join(filter(None, [title(file.architecture or ""), variant]))
    return [kind, shown(family), file.quantization or file.dtype or "",
            shown(file.path if verbose else file.name)]  # fmt: skip


def _typed(words: tuple[str, ...]) -> str:
    """Return words as they were typed: one that the shell gives with spaces is a phrase."""
    typed = []
    for word in words:
        no = "-" * word.startswith(_NO)
        plain = word.removeprefix(_NO)
        phrase = " " in plain and '"' not in plain
        typed.append(f'{no}"{plain}"' if phrase else no + plain)
    return " ".join(typed)


def _is_word(argument: str) -> bool:
    begins = argument.startswith("-") and not argument.startswith("--")
    return begins and len(argument) > 2 and not _FLAGS_TOGETHER.fullmatch(argument)
