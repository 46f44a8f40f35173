"""Many files changed, one after another: the loop of the verbs that write what they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from kanna import api
from kanna.cli.batch import Batch
from kanna.cli.infotext_change_report import change_document, change_lines
from kanna.cli.infotext_options import (
    are_several,
    destinations,
    expanded,
    options_of,
    tell_silent,
)
from kanna.errors import Incompatible, Incomplete

_NOTHING_TO_DO: Final = frozenset({"infotext.nothing", "infotext_extend.dialect"})


class Change(Protocol):
    """A change of one file, written to `destination`, or in its place."""

    def __call__(
        self, path: Path, *, destination: Path | None, options: api.InfotextOptions
    ) -> api.InfotextChange:
        """Make it."""


def change_each(
    files: Sequence[Path], change: Change, given: Mapping[str, Any], *,
    suffixes: Iterable[str] | None = None, difference: bool = False,
) -> int:  # fmt: skip
    """Change every file that `files` stand for; a failure of one does not stop the others.

    One in a folder that has nothing that could be changed is passed over.

    `given` are the options of `writing`. With `difference`, a dry run shows it.

    Raises:
        KannaError: it is not clear what to change or where to write.
    """
    sources = expanded(files, suffixes, recursive=given["recursive"])
    targets = destinations(files, sources, given)
    outputs = [to or source.path for source, to in zip(sources, targets, strict=True)]
    options = api.infotext_batch(options_of(given), outputs)
    batch = Batch(as_json=given["as_json"], quiet=given["quiet"], total=len(sources))
    difference = difference and given["dry_run"]
    named, silent = frozenset(files), 0
    for source, target in zip(sources, targets, strict=True):
        with batch.attempt(source.path):
            try:
                made = change(source.path, destination=target, options=options)
            except (Incomplete, Incompatible) as error:
                if error.key not in _NOTHING_TO_DO or source.path in named:
                    raise
                silent += 1
                continue
            lines = change_lines(made, verbose=given["verbose"], difference=difference)
            batch.add(change_document(made), lines)
    tell_silent(silent, given)
    return batch.close(several=are_several(files), summary="infotext.summary")
