"""The repairs of many findings as one conversion: what no machine should decide is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kanna.findings.values import Finding

if TYPE_CHECKING:
    from kanna.ops.convert import ConvertOptions

_NOTHING: Final = object()


@dataclass(slots=True, kw_only=True, eq=False)
class Fixes:
    """One conversion for all findings that can be mended by it.

    `mended` are those findings, `left` the rest: without a repair, or with one that contradicts
    that of a finding before it. `config` asks for a config beside the output.
    """

    options: dict[str, object] = field(default_factory=dict)
    config: bool = False
    mended: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)

    @property
    def only_config(self) -> bool:
        """Whether the file itself is in order, and only its config is missing or wrong."""
        named = any(finding.repair and finding.repair.name for finding in self.mended)
        return self.config and not self.options and not named

    def conversion(self) -> ConvertOptions:
        """Return what `convert` is to do.

        Raises:
            TypeError: a repair names an option that there is not.
        """
        from kanna.ops.convert import ConvertOptions  # `check` gathers, and converts nothing

        return ConvertOptions(**self.options)  # type: ignore[arg-type]


def gather(findings: Iterable[Finding]) -> Fixes:
    """Join the repairs of `findings`, which come with the gravest first.

    Those that stand aside, because they count for a purpose that nobody asked for, are passed over.
    """
    fixes = Fixes()
    for finding in findings:
        if finding.aside:
            continue
        repair = finding.repair
        joined = None if repair is None else _joined(fixes.options, repair.options)
        if repair is None or joined is None:
            fixes.left.append(finding)
            continue
        fixes.options = joined
        fixes.config |= repair.config
        fixes.mended.append(finding)
    return fixes


def _joined(old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object] | None:
    """Return both sets of options in one, or None where they contradict each other."""
    joined = dict(old)
    for name, value in new.items():
        before = joined.get(name, _NOTHING)
        match before, value:
            case tuple(), tuple():
                joined[name] = (*before, *(word for word in value if word not in before))
            case dict(), dict():
                inner = _joined(before, value)
                if inner is None:
                    return None
                joined[name] = inner
            case _ if before is _NOTHING or before == value:
                joined[name] = value
            case _:
                return None
    return joined
