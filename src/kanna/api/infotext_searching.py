"""Pictures by what they say of how they were made: in the library, or in folders as they are.

Folders are put into a library in memory, so that a question means the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kanna.api.infotext_targets import infotext_sources
from kanna.api.library_reading import read_image
from kanna.api.looking_up import LookOptions
from kanna.api.reading import StrPath
from kanna.catalog.image_search import FoundImage, ImageQuestion, search_images
from kanna.catalog.place import library_path
from kanna.catalog.recording import Recorder
from kanna.catalog.store import Library
from kanna.catalog.walking import Seen
from kanna.errors import Incomplete

_IN_MEMORY = Path(":memory:")


def search_infotexts(
    question: ImageQuestion, folders: Iterable[StrPath] | None = None, *,
    options: LookOptions | None = None, limit: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[FoundImage, ...]:  # fmt: skip
    """Return the newest pictures that fit: of the library, or of `folders` and those below them.

    Pictures in folders that cannot be read are passed over. `progress` is told how many of how many
    were looked at.

    Raises:
        Incomplete: there is no library, or no such folder.
        KannaError: it cannot be read.
    """
    if folders is not None:
        with _library_of(folders, progress) as library:
            return search_images(library, question, limit=limit)
    place = (options or LookOptions()).library_path or library_path()
    with Library(place, make=False) as library:
        return search_images(library, question, limit=limit)


@contextmanager
def _library_of(
    folders: Iterable[StrPath], progress: Callable[[int, int], None] | None
) -> Iterator[Library]:
    sources = infotext_sources(_there(folders), recursive=True)
    with Library(_IN_MEMORY) as library:
        with Recorder(library) as recorder:
            for done, source in enumerate(sources, 1):
                seen = _seen(source.path)
                if seen is not None:
                    recorder.keep_image(seen, None, read_image(source.path))
                if progress is not None:
                    progress(done, len(sources))
        yield library


def _there(folders: Iterable[StrPath]) -> Iterator[StrPath]:
    for folder in folders:
        if not Path(folder).exists():
            raise Incomplete("disk.missing", path=folder)
        yield folder


def _seen(path: Path) -> Seen | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return Seen(
        table="image", path=str(path.absolute()), root=None, fingerprint="", size=status.st_size,
        mtime_ns=status.st_mtime_ns,
    )  # fmt: skip
