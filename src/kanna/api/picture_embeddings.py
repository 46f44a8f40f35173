"""Embeddings that a prompt uses by their bare name, as A1111 and its kin take them.

Newer versions write their hashes into the picture; of older ones, only the word tells. A1111 looks
for the names of its embeddings at every token, whatever their capitals (modules/sd_hijack.py,
modules/textual_inversion), so a word that is the name of an embedding here is one here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from kanna.catalog.matching import Match
from kanna.catalog.matching_names import split
from kanna.catalog.matching_rows import Candidate, Shelves
from kanna.infotext.info import Dialect, GenerationInfo, ModelReference

_DIALECTS: Final[frozenset[Dialect]] = frozenset({"a1111", "forge", "sdnext", "unknown"})
# From here on A1111 writes "TI hashes" wherever an embedding was used (CHANGELOG.md, 1.5.0).
_SAYS_SO: Final = (1, 5)
_VERSION: Final = re.compile(r"v(\d+)\.(\d+)")
_WORD: Final = re.compile(r"[\w.+'-]+")
_PLAIN: Final = re.compile(r"[a-z]{1,12}|\d+|\W*\w\W*")


def embeddings_in_prompts(
    info: GenerationInfo, shelves: Shelves
) -> Iterator[tuple[ModelReference, Match]]:
    """Yield the library's embeddings whose names are words of the prompts, each once.

    None where the program would have said so: what it names otherwise counts alone.

    Raises:
        KannaError: the library cannot be read.
    """
    if not _may_be_silent(info):
        return
    known = _by_name(shelves)
    for word in _words(info, known):
        for candidate in known[word.casefold()]:
            reference = ModelReference(role="embedding", name=word, where="prompt")
            yield reference, _match(candidate, word, several=len(known[word.casefold()]) > 1)


def _may_be_silent(info: GenerationInfo) -> bool:
    named = any(one.role == "embedding" for one in info.models)
    version = _VERSION.search(info.program or "")
    says_so = version is not None and (int(version[1]), int(version[2])) >= _SAYS_SO
    return info.dialect in _DIALECTS and not named and not says_so


def _by_name(shelves: Shelves) -> Mapping[str, list[Candidate]]:
    known: defaultdict[str, list[Candidate]] = defaultdict(list)
    for one in shelves.of_kind("embedding"):
        if one.is_there:
            known[split(one.path.name)[0].casefold()].append(one)
    return known


def _words(info: GenerationInfo, known: Mapping[str, object]) -> Iterator[str]:
    """Yield what of the prompts is such a name, as it is written there: words, then phrases."""
    text = "\n".join(filter(None, (info.prompt, info.negative)))
    found: dict[str, str] = {}
    for match in _WORD.finditer(text):
        for word in (match[0], match[0].strip(".'+-")):
            if word.casefold() in known:
                found.setdefault(word.casefold(), word)
    folded = text.casefold()
    for name in known:
        if not _WORD.fullmatch(name) and name in folded:
            found.setdefault(name, name)
    yield from found.values()


def _match(one: Candidate, word: str, *, several: bool) -> Match:
    """Return the file; a word that prompts have anyway makes it only possible."""
    common = _PLAIN.fullmatch(word) is not None
    return Match(
        path=one.path, file_id=one.id, certainty="possible" if common or several else "likely",
        meaning="common_word" if common else "prompt_word", present=True, kind=one.kind,
        kind_agrees=True, sha256=one.digests.get("sha256"),
        data_sha256=one.digests.get("data_sha256"), autov1=one.digests.get("autov1"),
    )  # fmt: skip
