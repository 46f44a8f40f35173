"""What kanna knows: its families, and the meaning of every word that a report can hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from typing import TypeAlias

from kanna.api.method_list import method_document, method_words, methods_called
from kanna.errors import UnknownModel
from kanna.families.architectures import by_age, kinds
from kanna.families.dossier import Dossier, all_needs, dossier
from kanna.families.needs import needed_by
from kanna.families.places import Place, all_places, folders, places
from kanna.families.words import Meaning, dialects, meanings, plain, spellings
from kanna.findings import RULES, Rule
from kanna.merging.method import Method
from kanna.messages import LANGUAGES, language, say
from kanna.scan.rules import RULES as SCAN_RULES
from kanna.scan.rules import Rule as ScanRule


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPage:
    """A part that models share: where it is found, which families need it, where it belongs."""

    place: Place
    needed_by: tuple[str, ...]
    folders: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindPage:
    """A kind of file: the forms it comes in, the families it is recognised for, where it belongs.

    `dialect` is the form that was asked for; `places` are the parts of that kind.
    """

    kind: str
    dialect: str | None
    dialects: tuple[str, ...]
    families: tuple[str, ...]
    places: tuple[Place, ...]
    folders: Mapping[str, str]


Page: TypeAlias = Dossier | PartPage | KindPage | Rule | ScanRule | Method


def families(words: Iterable[str] = ()) -> tuple[Dossier, ...]:
    """Return all that kanna recognises, oldest first, in which every one of `words` is found.

    A word is looked for at the beginning of names, titles, kinds, makers, variants and needs.
    """
    wanted = [plain(word) for word in words]
    pages = map(dossier, by_age(kinds()))
    return tuple(page for page in pages if all(_mentions(page, word) for word in wanted))


def explain(word: str) -> tuple[Page, ...]:
    """Return a page for everything that `word` can mean.

    It may be the name, title or alias of a family, a variant with or without its family, a part or
    its usual file name, a kind of file or a form of it, the code or name of what `check` or `scan`
    finds, or a merge method, which comes last.

    Raises:
        UnknownModel: it means nothing; the words that are nearest are named.
    """
    pages = (*_rules(word), *map(_page, meanings(word)), *methods_called(word))
    pages = pages or methods_called(word, plugins=True)
    if pages:
        return pages
    known = {
        **{plain(name): name for name in method_words()},
        **spellings(),
        **{plain(rule.code): rule.code for rule in _all_rules()},
    }
    near = dict.fromkeys(known[key] for key in get_close_matches(plain(word), known, n=3))
    if near:
        raise UnknownModel("explain.unknown_near", word=word, near=", ".join(near))
    raise UnknownModel("explain.unknown", word=word)


def page_document(page: Page) -> dict[str, object]:
    """Return the JSON form of a page: its fields, texts in the language in force."""
    if isinstance(page, Method):
        return {"type": "method", **method_document(page)}
    kind = _subject(page)
    told: dict[str, object] = {}
    if isinstance(page, Rule):
        told = {
            text: say(f"findings.{page.code.lower()}_{text}") for text in ("title", "why", "fix")
        }
    elif isinstance(page, ScanRule):
        told = {"title": page.title, "why": page.why}
    return {"type": kind, **{f.name: _plain(getattr(page, f.name)) for f in fields(page)}, **told}


def _subject(page: Dossier | PartPage | KindPage | Rule | ScanRule) -> str:
    match page:
        case Dossier():
            return "variant" if page.variant else "family"
        case PartPage():
            return "part"
        case KindPage():
            return "kind"
        case Rule():
            return "rule"
        case ScanRule():
            return "scan_rule"


def _page(meaning: Meaning) -> Page:
    name, detail = meaning.name, meaning.detail
    if meaning.subject in {"family", "variant"}:
        return dossier(name, detail)
    if meaning.subject == "part":
        place = places(name, detail)[0]
        return PartPage(place=place, needed_by=needed_by(place), folders=folders(place.role))
    return KindPage(
        kind=name,
        dialect=detail,
        dialects=dialects(name),
        families=tuple(by_age(word for word, roles in kinds().items() if name in roles)),
        places=tuple(place for place in all_places() if place.role == name),
        folders=folders(name),
    )


def _rules(word: str) -> Iterator[Rule | ScanRule]:
    for rule in _all_rules():
        if plain(word) in {plain(rule.code), plain(rule.name)}:
            yield rule


def _all_rules() -> Iterable[Rule | ScanRule]:
    return (*RULES.values(), *SCAN_RULES.values())


def _mentions(page: Dossier, wanted: str) -> bool:
    said = [
        page.name, page.title, page.maker or "", *page.aliases, *page.kinds, *all_needs(page),
        *(word for row in page.traits for word in row.words),
    ]  # fmt: skip
    words = (plain(word) for text in said for word in (text, *text.split()))
    return any(word.startswith(wanted) for word in words)


def _plain(value: object) -> object:
    """Return a value as JSON holds it; of a text in all languages, the one in force."""
    match value:
        case Mapping():
            spoken = value.keys() == set(LANGUAGES)
            return value[language()] if spoken else {k: _plain(v) for k, v in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case frozenset():
            return sorted(value)
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
