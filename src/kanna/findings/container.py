"""Chapter 1: the container, and whether it is safe to open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kanna.findings.subject import PICKLES, Subject, found, mend
from kanna.findings.values import Finding
from kanna.model import Note

# Notes of the container that have a rule of their own.
_ELSEWHERE: Final = frozenset({
    "formats.lone_shard", "formats.other_name", "checkpoint.unknown_globals",
})  # fmt: skip
_MEND: Final = mend(container="safetensors")


def container(subject: Subject) -> Iterator[Finding]:
    """Judge the container itself."""
    model = subject.model
    if subject.pickled:
        pickle = found("KN101", repair=_MEND, container=_called(model.container))
        yield replace(pickle, aside=subject.identity.kind in PICKLES)
    for note in model.notes:
        if note.key == "formats.lone_shard":
            yield found("KN104", command=_whole(subject), part=note.values["part"],
                        total=note.values["total"])  # fmt: skip
        elif note.warning and note.key not in _ELSEWHERE:
            yield found("KN105", repair=_MEND, what=note)
    if model.refused:
        name, why = next(iter(model.refused.items()))
        yield found(
            "KN106", names=tuple(model.refused), count=len(model.refused), name=name, why=why
        )


def safety(subject: Subject) -> Iterator[Finding]:
    """Repeat what the scan says; reading as data and writing anew leaves all code behind."""
    verdict = subject.safety
    if verdict is None or verdict.verdict == "clean":
        return
    code = "KN102" if verdict.verdict == "dangerous" else "KN103"
    repair = _MEND if subject.pickled else None
    if not verdict.reasons:
        yield found(code, "plain", repair=repair)
    for reason in verdict.reasons[:1]:
        others = len(verdict.reasons) - 1
        yield found(code, "more" if others else "found", repair=repair, reason=reason, more=others)


def _called(container: str) -> Note:
    return Note(f"inspect.container_{container.replace('-', '_')}")


def _whole(subject: Subject) -> tuple[str, ...]:
    """Return the command that takes all shards, where their index is beside this one."""
    stem = subject.path.name.rpartition("-of-")[0].rpartition("-")[0]
    index = next(
        (name for name in sorted(subject.siblings)
         if name.startswith(stem) and name.endswith(".index.json")), None
    )  # fmt: skip
    if index is None:
        return ()
    return ("kanna", "convert", str(subject.path.with_name(index)), "-o", f"{stem}.safetensors")
