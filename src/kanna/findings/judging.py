"""All checks in one table, and `check`, which asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Final

from kanna.disk import is_remote
from kanna.errors import UsageError
from kanna.findings.file_names import fitting_stem, stem_of
from kanna.findings.rules import RULES
from kanna.findings.subject import PICKLES, Subject
from kanna.findings.values import SEVERITIES, Finding, Rule

Check = Callable[[Subject], Iterator[Finding]]

# Each check by module and function, with the codes that it may find and what of a subject it looks
# at: where that is empty there is nothing to find, and the module is not even loaded.
CHECKS: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("container.container", ("KN101", "KN104", "KN105", "KN106"), "model"),
    ("container.safety", ("KN102", "KN103"), "safety"),
    ("completeness.tensors", ("KN201", "KN202", "KN208"), "model"),
    ("completeness.position_ids", ("KN203", "KN204", "KN205"), "model"),
    ("completeness.names", ("KN206",), "model"),
    ("completeness.parts", ("KN207",), "model"),
    ("completeness.models", ("KN209", "KN210"), "model"),
    ("ema.presence", ("KN301", "KN306"), "identity.ema.present"),
    ("ema.absence", ("KN304",), "model"),
    ("ema.worth", ("KN302", "KN303"), "identity.ema.pairs"),
    ("ema.equality", ("KN305",), "measures"),
    ("junk.junk", ("KN401",), "identity.junk"),
    ("junk.trainer_state", ("KN402",), "model.extras"),
    ("precision.wide", ("KN403",), "identity.parts"),
    ("precision.narrow", ("KN404",), "model"),
    ("precision.mixed", ("KN405",), "identity.parts"),
    ("precision.eighths", ("KN406", "KN407"), "identity.parts"),
    ("precision.overflowing_vae", ("KN408",), "model"),
    ("junk.stored_twice", ("KN409",), "measures"),
    ("numbers.infinities", ("KN501",), "measures"),
    ("numbers.overflows", ("KN502",), "measures"),
    ("numbers.empty", ("KN503", "KN504"), "measures"),
    ("vae.known", ("KN602", "KN603"), "vae"),
    ("vae.numbers", ("KN601",), "measures"),
    ("vae.by_number", ("KN602", "KN603"), "measures"),
    ("prediction.markers", ("KN701",), "model"),
    ("prediction.missing_config", ("KN702",), "model"),
    ("prediction.wrong_config", ("KN703",), "model"),
    ("metadata.digests", ("KN801",), "model.metadata"),
    ("metadata.claims", ("KN802",), "model.metadata"),
    ("prediction.contradiction", ("KN803",), "model.metadata"),
    ("metadata.precision", ("KN804",), "model.metadata"),
    ("metadata.resolution", ("KN805",), "model.metadata"),
    ("metadata.title", ("KN806",), "model.metadata"),
    ("metadata.publishing", ("KN807",), "model"),
    ("naming.letters", ("KN811", "KN812", "KN813", "KN814"), "model"),
    ("naming.endings", ("KN815", "KN816"), "model"),
    ("naming.precision", ("KN817",), "model"),
)
# Containers that convert cannot write anew, were it under another name.
_FOREIGN: Final = frozenset({"diffusers", "gguf"})


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
        for ask, codes, needed in CHECKS
        if not wanted.isdisjoint(codes)
        and attrgetter(needed)(subject)
        and any(_counts(subject, RULES[code], deep=deep) for code in codes)
        for finding in _check_called(ask)(subject)
        if finding.rule.code in wanted and _counts(subject, finding.rule, deep=deep)
    ]
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), f.rule.code)))


def _check_called(name: str) -> Check:
    """Import a check by module and function."""
    module, _, function = name.partition(".")
    check: Check = getattr(import_module(f"kanna.findings.{module}"), function)
    return check


def command_for(subject: Subject, *options: str) -> tuple[str, ...]:
    """Return the words of a `kanna fix` with `options`, the purpose and the depth in force."""
    path = subject.path
    output = Path(f"{fitting_stem(stem_of(path), subject.identity)}-fixed.safetensors")
    if not is_remote(path):
        output = path.with_name(output.name)
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
    aside = finding.aside or (subject.purpose is None and bool(finding.rule.purposes))
    repair = None if _must_stay(subject) else finding.repair
    command = finding.command
    if repair is not None and not command:
        judged = replace(subject, purpose="generation") if aside else subject
        command = command_for(judged, "--select", finding.rule.code)
    return replace(finding, repair=repair, command=command, aside=aside)


def _must_stay(subject: Subject) -> bool:
    """Whether no conversion can write the file anew so that programs still read it."""
    model = subject.model
    foreign = model.container in _FOREIGN or bool(model.refused)
    foreign |= any(note.key == "formats.lone_shard" for note in model.notes)
    return foreign or (subject.pickled and subject.identity.kind in PICKLES)
