"""Chapter 8, second half: file names that break tools, or mislead them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from kanna.findings.file_names import LONGEST, forbidden, misleading, precision_words
from kanna.findings.subject import Subject, found
from kanna.findings.values import Finding, Repair
from kanna.model import Note

_MEND: Final = Repair(name=True)


def letters(subject: Subject) -> Iterator[Finding]:
    """Find letters, words and lengths that some system or program cannot take."""
    name = subject.path.name
    if not name.isascii():
        yield found("KN811", repair=_MEND, name=name)
    if any(letter.isspace() for letter in name):
        yield found("KN812", repair=_MEND, name=name)
    if forbidden(name):
        yield found("KN813", repair=_MEND, name=name)
    if len(os.fsencode(name)) > LONGEST:
        yield found("KN814", repair=_MEND, count=len(os.fsencode(name)), most=LONGEST)


def endings(subject: Subject) -> Iterator[Finding]:
    """Find endings by which programs take the file for something else."""
    wrong = misleading(subject.path.stem, subject.identity)
    if wrong is not None:
        yield found("KN815", repair=_MEND, ending=wrong[0], meaning=_called(wrong[1]))
    for note in subject.model.notes:
        if note.key == "formats.other_name":
            yield found("KN816", repair=_MEND, suffix=note.values["suffix"],
                        content=note.values["content"])  # fmt: skip


def _called(meaning: str) -> Note:
    return Note(f"findings.meaning_{meaning.replace('-', '_')}")


def precision(subject: Subject) -> Iterator[Finding]:
    """Find a word for a precision in which no part of the file is."""
    there = {str(part.dtype) for part in subject.identity.parts if part.dtype}
    if not there or subject.identity.quantization:
        return
    for word, dtype in precision_words(subject.path.stem).items():
        if not any(other.startswith(dtype) for other in there):
            yield found("KN817", repair=_MEND, word=word, there=", ".join(sorted(there)))
