"""What `kanna recipe` prints: the files, the steps and the output of a recipe, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kanna.api import FoundRecipe, SourceFile
from kanna.cli.merge_report import step_document, step_lines
from kanna.cli.outcome import note_documents
from kanna.cli.output import note_line, styled, table
from kanna.merging.recipe import Recipe, Wish
from kanna.messages import say, shown

_SHORT = 16


def recipe_lines(
    found: FoundRecipe, sources: Mapping[str, SourceFile], *, brief: bool, verbose: bool
) -> Iterator[str]:
    """Yield what a recipe is: in `brief`, that it makes sense and which files are missing."""
    recipe = found.recipe
    count = say("recipe.counted", models=len(recipe.sources), steps=len(recipe.steps))
    yield f"{styled(shown(found.path), 'bold')}  {count}"
    if found.program != "kanna":
        yield "  " + say("recipe.written_by", program=found.program)
    if not brief or sources:
        yield ""
        yield from table([_source(recipe, n, sources, verbose=verbose) for n in recipe.sources])
    if not brief:
        yield ""
        for step in recipe.steps:
            yield from step_lines(step)
        yield from _rest(recipe)
        yield from _ancestors(found)
    for note in found.notes:
        yield note_line(note)
    if brief:
        yield f"  {styled('✓', 'green', 'bold')} {say('recipe.makes_sense')}"


def _source(
    recipe: Recipe, name: str, sources: Mapping[str, SourceFile], *, verbose: bool
) -> list[str]:
    """Return the row of a source: its name, its file, its hash, and whether it was found."""
    source = recipe.sources[name]
    digest = source.sha256 or "-"
    row = [name, shown(source.path or "-"), digest if verbose else digest[:_SHORT]]
    if name not in sources:
        return row
    one = sources[name]
    colour = {"found": "green", "missing": "yellow", "other": "red"}[one.state]
    text = styled(
        say("recipe.state_library" if one.in_library else f"recipe.state_{one.state}"), colour
    )
    return [*row, text if one.path is None else f"{text} {shown(one.path)}"]


def _rest(recipe: Recipe) -> Iterator[str]:
    """Yield what is done with the output, and the axes."""
    usual, wish = Wish(), recipe.output
    wanted = [
        f"{name} = {_plain(getattr(wish, name))}"
        for name in Wish.__dataclass_fields__
        if getattr(wish, name) != getattr(usual, name)
    ]
    if recipe.compat:
        wanted.append(f"compat = {recipe.compat}")
    if wanted:
        yield "  " + say("recipe.output", wishes=", ".join(wanted))
    for path, numbers in recipe.axes.items():
        yield "  " + say("recipe.axis", path=path, count=len(numbers),
                         numbers=", ".join(f"{one:.12g}" for one in numbers))  # fmt: skip


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}:{word}" for key, word in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _ancestors(found: FoundRecipe) -> Iterator[str]:
    """Yield the models behind the sources, as far as the file knows of them."""
    own = {source.sha256 for source in found.recipe.sources.values()}
    further = {sha: name for sha, name in (found.ancestors or {}).items() if sha not in own}
    if further:
        yield ""
        yield "  " + say("recipe.ancestors")
        yield from table(
            [[shown(name), shown(sha[:_SHORT])] for sha, name in further.items()], indent=4
        )


def recipe_document(found: FoundRecipe, sources: Mapping[str, SourceFile]) -> dict[str, object]:
    """Return the JSON document of a recipe; `text` is the whole of it as TOML."""
    recipe, wish = found.recipe, found.recipe.output
    return {
        "path": found.path, "program": found.program, "text": found.text,
        "models": [_source_document(recipe, name, sources.get(name)) for name in recipe.sources],
        "steps": [step_document(step) for step in recipe.steps],
        "output": {name: _value(getattr(wish, name)) for name in Wish.__dataclass_fields__},
        "compat": recipe.compat,
        "axes": {path: list(numbers) for path, numbers in recipe.axes.items()},
        "ancestors": dict(found.ancestors or {}), "notes": note_documents(found.notes),
    }  # fmt: skip


def _source_document(recipe: Recipe, name: str, found: SourceFile | None) -> dict[str, object]:
    source = recipe.sources[name]
    return {
        "name": name, "path": source.path, "sha256": source.sha256,
        "state": found.state if found else None,
        "found": str(found.path) if found and found.path else None,
        "in_library": found.in_library if found else False,
    }  # fmt: skip


def _value(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
