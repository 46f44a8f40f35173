"""Models that a file comes close to, none of which it is; of several of them, a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanna.identify.recognise import Found
    from kanna.identify.verdict import Verdict


def closest(near: Iterable[Found], tensors: int) -> list[Found]:
    """Return those of `near` of which a file of so many `tensors` has a good part.

    That is a quarter of the row's list, and of the file.
    """
    return [one for one in near if 4 * one.right >= max(len(one.row.required), tensors // 4)]


def judge_mixture(verdict: Verdict, close: Iterable[Found]) -> None:
    """Let several diffusion models that an unknown file comes close to make it ambiguous."""
    if verdict.diffusion:
        return
    mixed = [one for one in close if one.row.role == "diffusion_model" and one.wrong > 0]
    words = tuple(dict.fromkeys(one.row.architecture for one in mixed if one.row.architecture))
    if len(words) > 1:
        verdict.several = True
        verdict.architectures = words
