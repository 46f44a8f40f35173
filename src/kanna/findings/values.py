"""Rules and findings as values: what can be wrong with a file, and what is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, get_args

from kanna.model import Note

Severity = Literal["error", "warning", "note"]
Purpose = Literal["generation", "training", "distribution"]
SEVERITIES: Final = get_args(Severity)
PURPOSES: Final = get_args(Purpose)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One thing that can be wrong with a file, under a code that never changes.

    `code` is ``KN`` and three digits, the first of which is the chapter; `name` says the same in
    words. `purposes` are those for which it counts, all where it is empty. A `deep` rule reads
    weights and is asked only with ``--deep``. Its texts are the messages ``findings.CODE_title``
    (a few words), ``CODE_why`` (two sentences) and ``CODE_fix`` (one sentence), code in lower case.
    """

    code: str
    name: str
    severity: Severity
    purposes: frozenset[Purpose] = frozenset()
    deep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """How ``kanna fix`` mends a finding, as plain data.

    `options` are fields of `kanna.ops.convert.ConvertOptions` and the values that they need;
    `config` asks for the same-named ``.yaml`` beside the output, `name` for an output name that
    breaks no tool.
    """

    options: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    config: bool = False
    name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with one file.

    `note` is the sentence that says what was found, `names` the tensors it is about, `bytes` what
    mending it would save. `repair` is None where no machine should decide; `command` is the exact
    command line that mends it, as words, empty where there is none. `aside` says that it
    stands among the notes here: it counts for a purpose that nobody asked for, or is usual in such
    files.
    """

    rule: Rule
    note: Note
    names: tuple[str, ...] = ()
    bytes: int = 0
    repair: Repair | None = None
    command: tuple[str, ...] = ()
    aside: bool = False

    @property
    def severity(self) -> Severity:
        """How grave it is here: its rule's severity, or a note where it stands aside."""
        return "note" if self.aside else self.rule.severity
