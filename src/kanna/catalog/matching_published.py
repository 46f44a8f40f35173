"""The published models by their names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache

from kanna.catalog.matching_names import Name, spelling, split
from kanna.hashing.known import Known, known_models


@cache
def _published() -> tuple[Mapping[str, list[Known]], Mapping[str, list[Known]]]:
    """Return the published files by the spelling of their stems, and by that of their titles."""
    files: defaultdict[str, list[Known]] = defaultdict(list)
    titles: defaultdict[str, list[Known]] = defaultdict(list)
    for row in known_models():
        if row.filename:
            files[spelling(split(row.filename)[0])].append(row)
        if row.title:
            titles[spelling(row.title)].append(row)
    return files, titles


def published_as(name: Name) -> tuple[list[Known], list[Known]]:
    """Return the published files with this stem, and those with it for a title.

    Civitai's resources are called ``title - version``: so the title may be what comes before.
    """
    files, titles = _published()
    stem, title = spelling(name.stem), spelling(name.stem.partition(" - ")[0])
    return files.get(stem, []), titles.get(stem) or titles.get(title, [])
