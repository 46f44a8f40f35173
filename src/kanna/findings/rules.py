"""The rules by code. The first digit is the chapter; a code never changes its meaning.

1 container and safety, 2 completeness and names, 3 EMA, 4 junk and precision, 5 numbers, 6 VAE,
7 prediction and configs, 8 metadata and file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kanna.findings.values import Purpose, Rule, Severity

_GENERATION: Final[tuple[Purpose, ...]] = ("generation",)
_TRAINING: Final[tuple[Purpose, ...]] = ("training",)
_HANDED_OUT: Final[tuple[Purpose, ...]] = ("distribution",)
_FINISHED: Final[tuple[Purpose, ...]] = ("generation", "distribution")


def _rule(
    code: str,
    name: str,
    severity: Severity,
    purposes: tuple[Purpose, ...] = (),
    *,
    deep: bool = False,
) -> Rule:
    return Rule(code=code, name=name, severity=severity, purposes=frozenset(purposes), deep=deep)


_ALL: Final = (
    _rule("KN101", "pickle-container", "warning"),
    _rule("KN102", "dangerous-file", "error"),
    _rule("KN103", "suspicious-file", "warning"),
    _rule("KN104", "lone-shard", "error"),
    _rule("KN105", "irregular-container", "warning"),
    _rule("KN106", "unreadable-tensors", "note"),
    _rule("KN201", "missing-tensors", "error"),
    _rule("KN202", "misshapen-tensors", "error"),
    _rule("KN203", "damaged-position-ids", "warning"),
    _rule("KN204", "float-position-ids", "warning"),
    _rule("KN205", "no-position-ids", "note", _HANDED_OUT),
    _rule("KN206", "old-tensor-names", "warning"),
    _rule("KN207", "missing-parts", "warning", _GENERATION),
    _rule("KN208", "unrecognised-tensors", "note", _HANDED_OUT),
    _rule("KN209", "several-models", "warning"),
    _rule("KN210", "unknown-file", "warning"),
    _rule("KN301", "ema-present", "warning", _FINISHED),
    _rule("KN302", "ema-incomplete", "warning"),
    _rule("KN303", "ema-stale", "warning"),
    _rule("KN304", "ema-absent", "note", _TRAINING),
    _rule("KN305", "ema-is-the-model", "warning", deep=True),
    _rule("KN306", "stray-ema-tensors", "note"),
    _rule("KN401", "junk", "warning", _FINISHED),
    _rule("KN402", "trainer-state", "warning", _FINISHED),
    _rule("KN403", "wide-precision", "warning", _GENERATION),
    _rule("KN404", "narrow-for-training", "note", _TRAINING),
    _rule("KN405", "mixed-precision", "warning", _FINISHED),
    _rule("KN406", "fp8-vae", "warning"),
    _rule("KN407", "fp8-norms", "note", _FINISHED),
    _rule("KN408", "vae-overflows-in-fp16", "note", _GENERATION),
    _rule("KN409", "tensors-stored-twice", "note", deep=True),
    _rule("KN501", "nan-or-inf", "error", deep=True),
    _rule("KN502", "beyond-fp16", "warning", _GENERATION, deep=True),
    _rule("KN503", "zero-tensors", "warning", deep=True),
    _rule("KN504", "constant-tensors", "note", deep=True),
    _rule("KN601", "broken-vae", "error", deep=True),
    _rule("KN602", "averaged-vae", "warning"),
    _rule("KN603", "wrong-vae", "error"),
    _rule("KN701", "lost-marker", "warning"),
    _rule("KN702", "missing-config", "warning", _GENERATION),
    _rule("KN703", "wrong-config", "error"),
    _rule("KN801", "false-hash", "warning"),
    _rule("KN802", "false-architecture", "warning"),
    _rule("KN803", "false-prediction", "warning"),
    _rule("KN804", "false-precision", "warning"),
    _rule("KN805", "unreadable-resolution", "note"),
    _rule("KN806", "title-of-a-parent", "warning"),
    _rule("KN807", "metadata-missing", "note", _HANDED_OUT),
    _rule("KN811", "name-not-ascii", "warning"),
    _rule("KN812", "name-with-spaces", "warning"),
    _rule("KN813", "name-forbidden", "warning"),
    _rule("KN814", "name-too-long", "warning"),
    _rule("KN815", "misleading-name", "warning"),
    _rule("KN816", "wrong-suffix", "warning"),
    _rule("KN817", "precision-in-name", "warning"),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.code: rule for rule in _ALL})
CHAPTERS: Final = tuple(sorted({code[:3] for code in RULES}))
