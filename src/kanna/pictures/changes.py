"""What has to change in a picture so that it has exactly the texts that are wanted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from kanna.pictures.opened import Held
from kanna.pictures.picture import PictureText, Place

_HIDDEN: Final = frozenset({"stealth_alpha", "stealth_rgb"})
_CHUNKS: Final = frozenset({"tEXt", "zTXt", "iTXt"})


class Patch(NamedTuple):
    """New bytes in the place of bytes `start` to `end` of a file; an insertion where both agree."""

    start: int
    end: int
    new: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Which of the texts held are other ones now, by their number; None is a text that goes.

    `added` come new. `bare` says that no text is wanted at all, unreadable ones neither, and
    `stripped` that EXIF goes, too, but for how the picture is turned, and what else is about it.
    """

    changed: Mapping[int, PictureText | None]
    added: Sequence[PictureText]
    bare: bool
    stripped: bool = False

    def added_in(self, *places: Place) -> list[PictureText]:
        """Return the new texts in some places."""
        return [text for text in self.added if text.place in places]


def find_changes(held: Sequence[Held], wanted: Iterable[PictureText]) -> Changes:
    """Compare what a picture holds with the texts that are wanted; hidden ones are passed over.

    Texts of the same keyword keep their order. Where there are fewer than before, those stay that
    are the same.
    """
    wanted = [text for text in wanted if text.place not in _HIDDEN]
    old, new = defaultdict[object, list[int]](list), defaultdict[object, list[PictureText]](list)
    for number, one in enumerate(held):
        old[_slot(one.text)].append(number)
    for text in wanted:
        new[_slot(text)].append(text)
    changed = {
        number: text
        for slot, numbers in old.items()
        for number, text in zip(numbers, _matched(held, numbers, new[slot]), strict=True)
        if text is None or not same_text(held[number].text, text)
    }
    first = {slot: len(numbers) for slot, numbers in old.items()}
    added = [text for slot, texts in new.items() for text in texts[first.get(slot, 0) :]]
    return Changes(changed=changed, added=added, bare=not wanted)


def same_text(one: PictureText, other: PictureText) -> bool:
    """Whether two texts are the same in the same place, however their bytes are made."""
    return (one.place, one.keyword, one.text) == (other.place, other.keyword, other.text)


def same_texts(some: Iterable[PictureText], others: Iterable[PictureText]) -> bool:
    """Whether two pictures say the same; in which kind of chunk PNG says it does not matter."""
    counts = [
        Counter((_slot(text), text.text) for text in texts if text.place not in _HIDDEN)
        for texts in (some, others)
    ]
    return counts[0] == counts[1]


def patched(data: bytes, patches: Iterable[Patch]) -> bytes:
    """Return `data` with patches that do not overlap; insertions at one place keep their order."""
    parts, at = [], 0
    for patch in sorted(patches, key=lambda one: (one.start, one.end)):
        parts += [data[at : patch.start], patch.new]
        at = patch.end
    return b"".join([*parts, data[at:]])


def moved(patches: Sequence[Patch]) -> Callable[[int], int]:
    """Return where a place of the file is once it is patched."""

    def place(at: int) -> int:
        return at + sum(len(one.new) - (one.end - one.start) for one in patches if one.end <= at)

    return place


def _slot(text: PictureText) -> tuple[str, str]:
    return ("text" if text.place in _CHUNKS else text.place), text.keyword


def _matched(
    held: Sequence[Held], numbers: list[int], texts: list[PictureText]
) -> list[PictureText | None]:
    """Return what each text of one keyword becomes, in their order."""
    missing = len(numbers) - len(texts)
    if missing <= 0:
        return list(texts[: len(numbers)])
    left, found = list(texts), list[PictureText | None]()
    for number in numbers:
        same = bool(left) and held[number].text.text == left[0].text
        found.append(left.pop(0) if same else None)
    return found if not left else [*texts, *[None] * missing]
