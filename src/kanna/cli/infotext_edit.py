"""`kanna infotext edit`: prompts and parameters changed in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.api import InfotextEdit
from kanna.cli.infotext_changing import change_each
from kanna.cli.infotext_options import ANY_PATH, encoding_option, infotext_files, writing
from kanna.cli.infotext_ordered import OrderedVerb, in_order
from kanna.cli.options import Command, common, option
from kanna.errors import UsageError

# Options of two texts, in the order in which help shows them: the edit that each stands for.
_PAIRS: Final[Mapping[str, Callable[[str, str], InfotextEdit]]] = {
    "replace": lambda old, new: InfotextEdit(
        target="prompt", action="replace", search=old, value=new
    ),
    "negative_replace": lambda old, new: InfotextEdit(
        target="negative", action="replace", search=old, value=new
    ),
    "regex": lambda old, new: InfotextEdit(target="prompt", action="regex", search=old, value=new),
    "negative_regex": lambda old, new: InfotextEdit(
        target="negative", action="regex", search=old, value=new
    ),
    "set": lambda key, value: InfotextEdit(
        target="parameter", action="set", key=key, value=value
    ),
}  # fmt: skip
# The same of options of one text.
_SINGLE: Final[Mapping[str, Callable[[str], InfotextEdit]]] = {
    "prepend": lambda text: InfotextEdit(target="prompt", action="add_first", value=text),
    "append": lambda text: InfotextEdit(target="prompt", action="add_last", value=text),
    "negative_prepend": lambda text: InfotextEdit(
        target="negative", action="add_first", value=text
    ),
    "negative_append": lambda text: InfotextEdit(target="negative", action="add_last", value=text),
    "remove": lambda key: InfotextEdit(target="parameter", action="delete", key=key),
}
_WORDS: Final = {"set": "KEY VALUE", "remove": "KEY", "regex": "PATTERN NEW",
                 "negative_regex": "PATTERN NEW"}  # fmt: skip


def _editing(command: Command) -> Command:
    """Add an option for each kind of edit."""
    add = option("--macro", text="infotext_edit.option_macro", multiple=True, metavar="FILE",
                 type=ANY_PATH)  # fmt: skip
    command = add(command)
    for name in reversed([*_PAIRS, *_SINGLE]):
        pair = name in _PAIRS
        add = option(
            f"--{name.replace('_', '-')}", text=f"infotext_edit.option_{name}", multiple=True,
            nargs=2 if pair else 1, metavar=_WORDS.get(name, "OLD NEW" if pair else "TEXT"),
        )  # fmt: skip
        command = add(command)
    return command


@click.command("edit", cls=OrderedVerb, room="infotext_edit")
@infotext_files
@_editing
@writing
@encoding_option
@common
def edit(files: tuple[Path, ...], **given: Any) -> int:
    """Edit every file; a failure of one does not stop the others."""
    edits = [*_edits(given)]
    if not edits:
        raise UsageError("infotext_edit.nothing")
    change = partial(api.edit_infotext, changes=edits)
    return change_each(files, change, given, suffixes=api.EDITED_SUFFIXES, difference=True)


def _edits(given: Mapping[str, Any]) -> Iterator[InfotextEdit]:
    """Yield the edits as they were asked for, from left to right."""
    for name, value in in_order({name: given[name] for name in (*_PAIRS, *_SINGLE, "macro")}):
        if name == "macro":
            yield from api.read_edits(value)
        elif name in _PAIRS:
            yield _PAIRS[name](*value)
        else:
            yield _SINGLE[name](value)
