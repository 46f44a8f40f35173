"""All checks in one table, and `check`, which asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from kanna.errors import UsageError
from kanna.findings import (
    completeness,
    container,
    ema,
    junk,
    metadata,
    naming,
    numbers,
    precision,
    prediction,
    vae,
)
from kanna.findings.names import fitting_stem
from kanna.findings.rules import RULES
from kanna.findings.subject import Subject
from kanna.findings.values import SEVERITIES, Finding, Rule

Check = Callable[[Subject], Iterator[Finding]]

# each check with the codes that it may find
CHECKS: Final[tuple[tuple[Check, tuple[str, ...]], ...]] = (
    (container.container, ("KN101", "KN104", "KN105", "KN106")),
    (container.safety, ("KN102", "KN103")),
    (completeness.tensors, ("KN201", "KN202", "KN208")),
    (completeness.position_ids, ("KN203", "KN204", "KN205")),
    (completeness.names, ("KN206",)),
    (completeness.parts, ("KN207",)),
    (completeness.models, ("KN209", "KN210")),
    (ema.presence, ("KN301", "KN304", "KN306")),
    (ema.worth, ("KN302", "KN303")),
    (ema.equality, ("KN305",)),
    (junk.junk, ("KN401",)),
    (junk.trainer_state, ("KN402",)),
    (precision.wide, ("KN403",)),
    (precision.narrow, ("KN404",)),
    (precision.mixed, ("KN405",)),
    (precision.eighths, ("KN406", "KN407")),
    (precision.overflowing_vae, ("KN408",)),
    (junk.stored_twice, ("KN409",)),
    (numbers.infinities, ("KN501",)),
    (numbers.overflows, ("KN502",)),
    (numbers.empty, ("KN503", "KN504")),
    (vae.known, ("KN602", "KN603")),
    (vae.numbers, ("KN601",)),
    (vae.by_number, ("KN602", "KN603")),
    (prediction.markers, ("KN701",)),
    (prediction.missing_config, ("KN702",)),
    (prediction.wrong_config, ("KN703",)),
    (metadata.digests, ("KN801",)),
    (metadata.claims, ("KN802",)),
    (prediction.contradiction, ("KN803",)),
    (metadata.precision, ("KN804",)),
    (metadata.resolution, ("KN805",)),
    (metadata.title, ("KN806",)),
    (metadata.publishing, ("KN807",)),
    (naming.letters, ("KN811", "KN812", "KN813", "KN814")),
    (naming.endings, ("KN815", "KN816")),
    (naming.precision, ("KN817",)),
)
# Checks that read weights although their rules may be told by other means too.
_READING: Final = frozenset({vae.by_number})
# Containers that convert cannot write anew.
_FOREIGN: Final = frozenset({"diffusers"})


def check(
    subject: Subject, select: Iterable[str] = (), ignore: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """Return what is wrong with `subject`, the gravest first, then by code.

    `select` and `ignore` are codes or beginnings of codes (``KN2``); nothing selected is
    everything. Rules that count for a purpose only are asked where the subject serves it; with no
    purpose those of generation are, and their findings stand aside as notes. Weights are read
    where the subject has its measures.

    Raises:
        UsageError: no rule has such a code.
        FormatError: the file does not hold what its header says.
    """
    wanted = _chosen(_words(select), _words(ignore))
    deep = subject.measures is not None
    findings = [
        _finished(subject, finding)
        for ask, codes in CHECKS
        if not wanted.isdisjoint(codes)
        and (deep or ask not in _READING)
        and any(_counts(subject, RULES[code], deep=deep) for code in codes)
        for finding in ask(subject)
        if finding.rule.code in wanted and _counts(subject, finding.rule, deep=deep)
    ]
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.rule.code)))


def command_for(subject: Subject, *options: str) -> tuple[str, ...]:
    """Return the words of a `kanna fix` with `options`, the purpose and the depth in force."""
    path = subject.path
    output = path.with_name(f"{fitting_stem(path.stem, subject.identity)}-fixed.safetensors")
    purpose = ("--for", subject.purpose) if subject.purpose else ()
    deep = ("--deep",) if subject.measures is not None else ()
    return ("kanna", "fix", str(path), "-o", str(output), *purpose, *deep, *options)


def _chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> frozenset[str]:
    for word in (*select, *ignore):
        if len(word) < len("KN") or not any(code.startswith(word.upper()) for code in RULES):
            raise UsageError("findings.no_such_rule", word=word)
    chosen = {code for code in RULES if not select or _begins(code, select)}
    return frozenset(code for code in chosen if not _begins(code, ignore))


def _words(given: Iterable[str]) -> tuple[str, ...]:
    """Return single words, of which one text may hold several: ``KN2,KN301``."""
    return tuple(word.strip() for text in given for word in text.split(","))


def _begins(code: str, words: tuple[str, ...]) -> bool:
    return any(code.startswith(word.upper()) for word in words)


def _counts(subject: Subject, rule: Rule, *, deep: bool) -> bool:
    """Whether a rule is asked: for this purpose, and at this depth."""
    if rule.deep and not deep:
        return False
    return not rule.purposes or (subject.purpose or "generation") in rule.purposes


def _finished(subject: Subject, finding: Finding) -> Finding:
    """Set a finding aside where nobody asked for its purpose, and give it its command."""
    aside = subject.purpose is None and bool(finding.rule.purposes)
    repair = finding.repair
    model = subject.model
    if repair is not None and repair.options and (model.container in _FOREIGN or model.refused):
        repair = None
    command = finding.command
    if repair is not None and not command:
        command = command_for(subject, "--select", finding.rule.code)
    return replace(finding, repair=repair, command=command, aside=aside)
