"""Many texts out of one JSON file whose values may be lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kanna.api.infotext_changing import encoded, infotext_batch, write
from kanna.api.infotext_reading import BOM, plain_text, read_text
from kanna.api.infotext_values import InfotextOptions
from kanna.api.reading import StrPath
from kanna.errors import FormatError
from kanna.infotext.expanding import expand
from kanna.infotext.json_text import JsonText
from kanna.pictures import new_png

_LEAST_DIGITS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """The texts that a JSON file stands for, and the files that hold them, in their order."""

    path: Path
    texts: tuple[str, ...]
    outputs: tuple[Path, ...]
    dry_run: bool


def expand_infotext(
    path: StrPath, folder: StrPath, *, as_png: bool = False, options: InfotextOptions | None = None
) -> Expansion:
    """Write a text into `folder` for every combination of the values in the JSON file at `path`.

    With `as_png` they are small pictures that hold the texts. None is written if one of them is
    there already, unless `options.force`.

    Raises:
        FormatError: it is no JSON object.
        UsageError: there would be too many texts, or a value is none.
        OutputExists: a file is there already.
        KannaError: one cannot be written.
    """
    options = options or InfotextOptions()
    place = Path(path)
    texts = tuple(expand(_document(place, options.encoding)))
    outputs = tuple(_outputs(place, Path(folder), len(texts), ".png" if as_png else ".txt"))
    for output in outputs:
        write(output, b"", replace(options, dry_run=True))
    if not options.dry_run:
        options = infotext_batch(options, outputs)
        for output, text in zip(outputs, texts, strict=True):
            data = new_png([plain_text(text)]) if as_png else encoded(output, text, "utf-8")
            write(output, data, options)
    return Expansion(path=place.absolute(), texts=texts, outputs=outputs, dry_run=options.dry_run)


def _document(path: Path, encoding: str) -> dict[str, object]:
    text = read_text(path, encoding).removeprefix(BOM)
    try:
        document = JsonText.parse(text).value
    except FormatError as error:  # which says what to do about the text of a picture
        raise FormatError("infotext_expand.no_json", path=path, reason=error.message) from error
    if not isinstance(document, dict):
        raise FormatError("infotext_expand.no_object", path=path)
    return document


def _outputs(path: Path, folder: Path, count: int, suffix: str) -> Iterator[Path]:
    """Yield names that sort in their order: ``STEM-00000.txt``."""
    digits = max(_LEAST_DIGITS, len(str(count - 1)))
    for number in range(count):
        yield folder.absolute() / f"{path.stem}-{number:0{digits}}{suffix}"
