r"""The edit language: one change a line, for the texts of any program.

::

    # target         action     search or key   value
    Prompt           Add First                  masterpiece,
    Prompt           re.sub     \bcat\b         dog
    Negative Prompt  Delete     EasyNegative
    Params           Set        Clip skip       2
    Params           Replace    Model           v1-5    v2-1

The columns are parted by tabs, as aka7774/sd_infotexts has them in its macro.txt; what each does is
in ``docs/infotext-macros.md``. Changes are made from top to bottom.
Source: aka7774/sd_infotexts infotexts/actions.py, whose window writes ``Params`` where its runner
looks for ``Key``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from kanna.errors import UsageError
from kanna.infotext.a1111_writing import OWN
from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo
from kanna.infotext.written import said_as

Target: TypeAlias = Literal["prompt", "negative", "parameter"]
Action: TypeAlias = Literal[
    "add_first", "add_last", "replace", "regex", "overwrite", "set", "delete",
]  # fmt: skip
E = TypeVar("E", bound=Editable)

_TARGETS: Final[Mapping[str, Target]] = {
    "prompt": "prompt",
    "negative": "negative", "negativeprompt": "negative",
    "params": "parameter", "param": "parameter", "parameter": "parameter",
    "parameters": "parameter", "key": "parameter",
}  # fmt: skip
_ACTIONS: Final[Mapping[str, Action]] = {
    "addfirst": "add_first", "addlast": "add_last", "replace": "replace", "re.sub": "regex",
    "regex": "regex", "overwrite": "overwrite", "set": "set", "delete": "delete",
    "remove": "delete",
}  # fmt: skip
_SHOWN: Final = "Add First, Add Last, Replace, re.sub, Overwrite, Set, Delete"
_SEARCHING: Final = {"replace", "regex"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a text.

    `key` names the parameter, where `target` is one. `search` is what ``replace`` and ``delete``
    look for, or the regular expression of ``regex``; `value` is what is put there.
    """

    target: Target
    action: Action
    key: str = ""
    search: str = ""
    value: str = ""


def read_macros(text: str) -> list[Change]:
    """Return the changes in the text of a macro file; blank lines and those with ``#`` are none.

    Raises:
        UsageError: a line cannot be understood; says which and why.
    """
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
    said = [(at, line) for at, line in enumerate(lines, start=1) if line.strip()]
    return [_change(line, at) for at, line in said if not line.startswith("#")]


def apply(changes: Iterable[Change], editable: E) -> E:
    """Return the texts with all changes made, one after another.

    Raises:
        UsageError: a regular expression cannot be used.
        Incompatible: the program has no place for something.
    """
    for change in changes:
        editable = _APPLIED[change.target](change, editable)
    return editable


def _change(line: str, at: int) -> Change:
    target_word, *columns = line.split("\t")
    target = _TARGETS.get(_plain(target_word))
    if target is None:
        raise UsageError("infotext_text.no_target", line=at, word=target_word.strip())
    action = _ACTIONS.get(_plain(columns[0] if columns else ""))
    if action is None:
        word = columns[0].strip() if columns else ""
        raise UsageError("infotext_text.no_action", line=at, word=word, known=_SHOWN)
    has_key = target == "parameter"
    # What a replacement in a parameter looks for must not be taken for what it puts there.
    least, most = 2 + 3 * (has_key and action in _SEARCHING), 4 + has_key
    if not least <= len(columns) + 1 <= most:
        raise UsageError("infotext_text.not_four", line=at, count=len(columns) + 1)
    return _checked(_of_columns(target, action, columns[1:]), at)


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]", "", word).lower()


def _of_columns(target: Target, action: Action, columns: list[str]) -> Change:
    key = columns.pop(0).strip() if target == "parameter" and columns else ""
    only = next((column for column in reversed(columns) if column), "")
    if action in _SEARCHING:
        search, value = [*columns, "", ""][:2]
    else:
        search, value = (only, "") if action == "delete" else ("", only)
    return Change(target=target, action=action, key=key, search=search, value=value)


def _checked(change: Change, at: int) -> Change:
    if change.target == "parameter" and not change.key:
        raise UsageError("infotext_text.no_key", line=at)
    if change.action in _SEARCHING and not change.search:
        raise UsageError("infotext_text.no_search", line=at)
    if change.action == "regex":
        _pattern(change.search, at)
    return change


def _on_prompt(change: Change, editable: E) -> E:
    old = editable.info.prompt or ""
    new = _changed(change, old)
    return editable if new == old else editable.with_prompt(new)


def _on_negative(change: Change, editable: E) -> E:
    old = editable.info.negative or ""
    new = _changed(change, old)
    return editable if new == old else editable.with_negative(new)


def _on_parameter(change: Change, editable: E) -> E:
    """Change a parameter; only ``set`` adds one that is not there."""
    key, old = _said(change.key, editable.info)
    if old is None and change.action != "set":
        return editable
    if change.action == "delete":
        return editable.without_parameter(key)
    new = _changed(change, old or "")
    return editable if new == old else editable.with_parameter(key, new)


def _said(key: str, info: GenerationInfo) -> tuple[str, str | None]:
    """Return a key as the text has it, whatever its case, and its value; None where it is not."""
    there = {one.key: one.value for one in info.parameters}
    found = key if key in there else next((k for k in there if k.lower() == key.lower()), key)
    if found in there:
        return found, there[found]
    return key, None if info.dialect in OWN else said_as(key, info)


def _changed(change: Change, old: str) -> str:
    if change.action == "regex":
        return _substituted(change, old)
    if change.action == "replace":
        return old.replace(change.search, change.value)
    if change.action == "delete":
        return _without(change.search, old) if change.search else ""
    added = {"add_first": change.value + old, "add_last": old + change.value}
    return added.get(change.action, change.value)


def _without(search: str, old: str) -> str:
    """Return `old` without `search`; where that is all between two commas, one of them goes too."""
    pattern = re.compile(rf"(,[ \t]*)?{re.escape(search)}([ \t]*,[ \t]*)?")
    return pattern.sub(_commas_left, old)


def _commas_left(match: re.Match[str]) -> str:
    before, behind = match[1] or "", match[2] or ""
    if before and behind:
        return before
    is_first = match.string[max(match.start() - 1, 0) : match.start()] in {"", "\n"}
    is_last = match.string[match.end() : match.end() + 1] in {"", "\n"}
    return "" if (behind and is_first) or (before and is_last) else before + behind


def _substituted(change: Change, old: str) -> str:
    pattern = _pattern(change.search)
    try:
        return pattern.sub(change.value, old)
    except (re.error, IndexError) as error:
        raise UsageError("infotext_text.bad_replacement", text=change.value,
                         pattern=change.search, reason=error) from error  # fmt: skip


def _pattern(text: str, line: int = 0) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        if line:
            raise UsageError("infotext_text.bad_pattern_there", line=line, pattern=text,
                             reason=error) from error  # fmt: skip
        raise UsageError("infotext_text.bad_pattern", pattern=text, reason=error) from error


_APPLIED: Final[Mapping[Target, Callable[[Change, E], E]]] = {
    "prompt": _on_prompt,
    "negative": _on_negative,
    "parameter": _on_parameter,
}
