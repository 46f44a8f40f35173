"""What is wrong with a file for a purpose: `check`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kanna.api.reading import StrPath, identified
from kanna.api.subjects import subject_of
from kanna.disk import as_path
from kanna.findings import Finding, Purpose, Subject, command_for
from kanna.findings import check as judge
from kanna.findings.facts import Safety
from kanna.formats import open_model
from kanna.identity import Identity
from kanna.model import ModelFile
from kanna.ops.fix import Fixes, gather

if TYPE_CHECKING:
    from kanna.engine import Progress
    from kanna.findings.facts import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What `check` found in one file, the gravest first.

    `command` is the one command that mends all of `mendable`, as words; empty where there is
    nothing of the kind.
    """

    path: Path
    purpose: Purpose | None
    deep: bool
    identity: Identity
    findings: tuple[Finding, ...]
    command: tuple[str, ...]

    @property
    def mendable(self) -> tuple[Finding, ...]:
        """The findings that `kanna fix` mends with this purpose, these rules and this depth."""
        return tuple(gather(self.findings).mended)

    @property
    def others(self) -> tuple[Finding, ...]:
        """The findings that `kanna fix` mends only for a purpose that nobody asked for."""
        return tuple(one for one in self.findings if one.aside and one.repair is not None)

    @property
    def saving(self) -> int:
        """The bytes that mending saves; an EMA that several rules find counts once."""
        ema = [finding.bytes for finding in self.mendable if finding.rule.code.startswith("KN3")]
        return max(ema, default=0) + sum(f.bytes for f in self.mendable) - sum(ema)


def check(
    path: StrPath,
    *,
    purpose: Purpose | None = None,
    deep: bool = False,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    progress: Callable[[Progress], None] | None = None,
) -> Checked:
    """Say what is wrong with the model at `path`, for `purpose` where one is given.

    `select` and `ignore` are codes or beginnings of codes; nothing selected is everything. With
    `deep`, every weight is read, and `progress` may be called ten times a second.

    Raises:
        UsageError: no rule has such a code.
        FormatError: the file is broken.
        UnsafeFile: the file pretends to be of a safe format.
        Incomplete: there is no such file, or a shard is missing.
    """
    select, ignore = tuple(select), tuple(ignore)
    with open_model(path) as model:
        subject = subject_of(as_path(path), model, identified(model, compare_ema=False), purpose)
        subject = replace(subject, safety=_safety(as_path(path)), siblings=_siblings(as_path(path)))
        if deep:
            subject = replace(subject, measures=_measures(model, progress))
        findings = judge(subject, select, ignore)
    options = [w for name, words in (("--select", select), ("--ignore", ignore)) if words
               for w in (name, ",".join(words))]  # fmt: skip
    return Checked(
        path=as_path(path), purpose=purpose, deep=deep, identity=subject.identity,
        findings=findings, command=_command(subject, gather(findings), options),
    )  # fmt: skip


def _command(subject: Subject, fixes: Fixes, options: Iterable[str]) -> tuple[str, ...]:
    """Return the one command that mends everything; a config needs no copy of the model."""
    if not fixes.mended:
        return ()
    if fixes.only_config:
        return fixes.mended[0].command
    return command_for(subject, *options)


def _siblings(path: Path) -> frozenset[str]:
    """Return the names of the files beside `path`; none where its folder cannot be listed."""
    try:
        return frozenset(entry.name for entry in path.resolve().parent.iterdir())
    except OSError:
        return frozenset()


def _safety(path: Path) -> Safety:
    """Return what a scan says, which reads everything but weights, with the gravest reasons."""
    from kanna.scan import scan

    scanned = scan(path)
    reasons = (threat.note for threat in scanned.threats if threat.verdict == scanned.verdict)
    return Safety(verdict=scanned.verdict, reasons=tuple(reasons))


def _measures(model: ModelFile, progress: Callable[[Progress], None] | None) -> dict[str, Measure]:
    from kanna.engine.meter import Meter
    from kanna.findings.measuring import measure, measured_bytes

    meter = Meter(measured_bytes(model), progress, None)
    done = 0

    def tick(nbytes: int) -> None:
        nonlocal done
        done += nbytes
        meter.tick(done)

    return measure(model, tick)
