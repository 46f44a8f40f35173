"""What the verbs share that move files: their options, their course, their report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from kanna import api
from kanna.cli.library_options import which_library
from kanna.cli.options import Command, common, option
from kanna.cli.output import (
    bracketed,
    common_exit_code,
    error_document,
    note_line,
    print_error,
    print_json,
    print_notice,
    styled,
)
from kanna.cli.progress import Bar
from kanna.errors import KannaError
from kanna.identity import said
from kanna.messages import say, shown, size_text

names = click.argument("names", metavar="FILE...", nargs=-1, required=True)
_MARKS: Final = {"move": "→", "copy": "+", "write": "+", "remove": "-", "leave": "·"}
_COLOURS: Final = {
    "move": "cyan",
    "copy": "green",
    "write": "green",
    "remove": "red",
    "leave": "dim",
}
_INNER: Final = "trashinfo"  # of no interest to people

Planning = Callable[[Bar], api.FilingPlan]
Asking = Callable[[api.FilingPlan], bool]


def filing(command: Command) -> Command:
    """Add ``--dry-run``, ``--library`` and what every verb has."""
    for add in (
        common,
        which_library,
        option("--dry-run", text="filing.option_dry_run", is_flag=True),
    ):
        command = add(command)
    return command


def destination(command: Command) -> Command:
    """Add ``--to`` and ``--on-conflict``."""
    for add in (
        option("--on-conflict", text="filing.option_on_conflict", default="refuse",
               type=click.Choice(["refuse", "skip", "rename"])),
        option("--to", text="filing.option_to", metavar="FOLDER", required=True),
    ):  # fmt: skip
        command = add(command)
    return command


def settled(given: dict[str, Any]) -> list[api.Settled]:
    """Bring to an end what killed commands left, and tell people of it."""
    ended = api.settle_filings(library=given["library"])
    if not given["as_json"]:
        for one in ended:
            key = f"filing.settled_{one.end}"
            print_notice(key, number=one.number, verb=one.verb, path=one.path)
            for note in one.notes:
                click.echo(note_line(note), err=True)
    return ended


def run_filing(planning: Planning, given: dict[str, Any], ask: Asking | None = None) -> int:
    """Plan, tell the plan, carry it out unless something is refused; return the exit code."""
    hidden = given["quiet"] or given["as_json"]
    ended = [] if given["dry_run"] else settled(given)
    with Bar("", hidden=hidden) as bar:
        planned = planning(bar)
    if not hidden:
        click.echo("\n".join(plan_lines(planned)))
    made = None
    if not (planned.refused or given["dry_run"] or not planned.todo):
        if ask is not None and not ask(planned):
            return 0
        with Bar(_label(planned), hidden=hidden) as bar:
            made = api.carry_out_filing(planned, library=given["library"], progress=bar)
    if given["as_json"]:
        print_json(filing_document(planned, made, ended))
    else:
        _print_outcome(planned, made, quiet=given["quiet"])
    return common_exit_code([error.exit_code for error in _errors(planned, made)])


def _errors(planned: api.FilingPlan, made: api.Executed | None) -> list[KannaError]:
    failed = [one.error for one in made.outcomes if one.error is not None] if made else []
    return [*(error for _, error in planned.refused), *failed]


def _label(planned: api.FilingPlan) -> str:
    return planned.todo[0].path.name


def plan_lines(planned: api.FilingPlan) -> Iterator[str]:
    """Yield the plan as people read it."""
    for files in planned.sets:
        yield _heading(files)
        if files.skipped is not None:
            yield f"  {styled('·', 'dim')} " + say("filing.skipped", reason=said(files.skipped))
            continue
        yield from (_step_line(step) for step in files.steps if step.role != _INNER)
        yield from map(note_line, files.notes)
    todo = [
        s for one in planned.todo for s in one.steps if s.action != "leave" and s.role != _INNER
    ]
    if todo:
        size = size_text(sum(step.size for step in todo))
        yield say("filing.plan_files", count=len(todo), size=size)
    if planned.verb != "copy" and (room := sum(planned.room.values())):
        yield say("filing.plan_copied", size=size_text(room))


def _heading(files: api.FileSet) -> str:
    places = [s.destination.parent for s in files.steps if s.destination and s.role != _INNER]
    arrow = f" {styled('→', 'cyan')} {shown(places[0])}" if places else ""
    return f"{styled(shown(files.path), 'bold')}{arrow}"


def _step_line(step: api.Step) -> str:
    mark = styled(_MARKS[step.action], _COLOURS[step.action])
    source, place = step.source, step.destination
    name = shown((source or place or Path()).name)
    if source and place and source.name != place.name:
        name += f" {styled('→', 'cyan')} {shown(place.name)}"
    line = f"  {mark} {name}  {styled(size_text(step.size), 'dim')}"
    reasons = [say(f"filing.why_{word}") for word in _reasons(step)]
    return bracketed(line, "; ".join(reasons)) if reasons else line


def _reasons(step: api.Step) -> Iterator[str]:
    if step.why == "shared":
        yield "shared_left" if step.action == "leave" else "shared"
    if step.why == "changed":
        yield "changed"
    if step.there is not None:
        yield "there"
    if step.replace:
        yield "replaced"


def _print_outcome(planned: api.FilingPlan, made: api.Executed | None, *, quiet: bool) -> None:
    for error in _errors(planned, made):
        print_error(error, as_json=False)
    if made is None:
        if not quiet:
            print_notice("filing.refused_all" if planned.refused else "filing.nothing_done")
        return
    for one in made.outcomes:
        for note in one.notes:
            click.echo(note_line(note), err=True)
    if not made.followed:
        print_notice("filing.not_followed")
    if not quiet and any(one.error is None for one in made.outcomes):
        tick = styled("✓", "green", "bold")
        click.echo(f"{tick} " + say(f"filing.done_{planned.verb}", number=made.number))
        if planned.verb in {"move", "rename", "trash"}:
            print_notice("filing.can_undo", number=made.number)


def filing_document(
    planned: api.FilingPlan, made: api.Executed | None, ended: Sequence[api.Settled]
) -> dict[str, object]:
    """Return the JSON document of a plan and of what became of it."""
    outcomes = {id(one.files): one for one in made.outcomes} if made else {}
    return {
        "verb": planned.verb, "number": made.number if made else None, "of": planned.of,
        "dry_run": made is None,
        "sets": [_set_document(one, outcomes.get(id(one))) for one in planned.sets],
        "refused": [{"path": os.fspath(path), "error": error_document(error)}
                    for path, error in planned.refused],
        "room": [{"folder": os.fspath(folder), "bytes": size}
                 for folder, size in planned.room.items()],
        "library_follows": made.followed if made else None, "settled": settled_documents(ended),
    }  # fmt: skip


def settled_documents(ended: Sequence[api.Settled]) -> list[dict[str, object]]:
    """Return what was brought to an end, for JSON."""
    return [
        {"number": one.number, "verb": one.verb, "path": str(one.path), "end": one.end,
         "notes": [said(note) for note in one.notes]}
        for one in ended
    ]  # fmt: skip


def _set_document(files: api.FileSet, outcome: api.Outcome | None) -> dict[str, object]:
    state = "skipped" if files.skipped else "planned"
    error = None if outcome is None else outcome.error
    if outcome is not None:
        state = "done" if error is None else "failed"
    notes = [*files.notes, *(outcome.notes if outcome else ())]
    return {
        "path": os.fspath(files.path), "state": state,
        "steps": [_step_document(step) for step in files.steps],
        "notes": [{"key": note.key, "warning": note.warning, "text": said(note)} for note in notes],
        "skipped": None if files.skipped is None else said(files.skipped),
        "error": None if error is None else error_document(error),
    }  # fmt: skip


def _step_document(step: api.Step) -> dict[str, object]:
    return {
        "action": step.action, "role": step.role, "why": step.why, "size": step.size,
        "source": None if step.source is None else os.fspath(step.source),
        "destination": None if step.destination is None else os.fspath(step.destination),
        "there": step.there is not None, "reworded": bool(step.replace),
    }  # fmt: skip
