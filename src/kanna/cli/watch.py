"""`kanna watch`: a folder whose models are looked at, converted and put away as they come in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from kanna import api
from kanna.api import Handled, Originals, WatchOptions
from kanna.cli.options import Verb, common, option
from kanna.cli.output import common_exit_code, print_json, print_notice, styled, wrapped
from kanna.messages import say, shown

_path = click.Path(path_type=Path)
_seconds = click.FloatRange(min=0)


@click.command("watch", cls=Verb)
@click.argument("inbox", metavar="INBOX", type=_path)
@option("--to", "models", text="watch.option_to", metavar="FOLDER", type=_path)
@option("--layout", text="watch.option_layout", type=click.Choice(api.watch_words("layout")))
@option("--for", "purpose", text="watch.option_for", type=click.Choice(api.words("purpose")))
@option("--rules", text="watch.option_rules", metavar="FILE", type=_path)
@option("--originals", text="watch.option_originals", default="keep",
        type=click.Choice(api.watch_words("originals")))  # fmt: skip
@option("--allow-suspicious", text="watch.option_allow_suspicious", is_flag=True)
@option("--rest", text="watch.option_rest", default=5.0, show_default=True, type=_seconds)
@option("--patience", text="watch.option_patience", default=60.0, show_default=True, type=_seconds)
@option("--once", text="watch.option_once", is_flag=True)
@option("--dry-run", text="convert.option_dry_run", is_flag=True)
@common
def watch(
    inbox: Path,
    *,
    models: Path | None,
    layout: str | None,
    purpose: str | None,
    rules: Path | None,
    originals: Originals,
    allow_suspicious: bool,
    rest: float,
    patience: float,
    once: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Take in what lands; without ``--once`` until the user stops it."""
    options = WatchOptions(
        models=models, layout=layout, rules=api.watch_rules(rules, purpose), originals=originals,
        allow_suspicious=allow_suspicious, rest=rest, patience=patience, once=once or dry_run,
        dry_run=dry_run,
    )  # fmt: skip
    if not options.once and not quiet:
        print_notice("watch.waiting", path=inbox)
    seen: list[Handled] = []
    for handled in api.watch_inbox(inbox, options):
        if options.once:
            seen.append(handled)
        if as_json and not options.once:  # there is no end at which a list could be printed
            sys.stdout.write(json.dumps(handled.to_json()) + "\n")
            sys.stdout.flush()
        elif not as_json and not quiet:
            click.echo("\n".join(_lines(handled, verbose=verbose)))
    if as_json:
        print_json([one.to_json() for one in seen])
    return common_exit_code([one.exit_code for one in seen if one.exit_code])


def _lines(handled: Handled, *, verbose: bool) -> Iterator[str]:
    good = handled.state in {"converted", "put_away", "planned"}
    mark = styled("✓", "green", "bold") if good else styled("!", "yellow", "bold")
    key = f"watch.state_{handled.state}"
    target = handled.output or handled.aside or handled.path.parent
    yield f"{mark} {shown(handled.path.name)}  " + say(key, path=target)
    for reason in handled.reasons:
        yield f"    {wrapped(shown(reason.message), 4)}"
        if reason.hint:
            yield f"    {wrapped(reason.hint, 4)}"
    if verbose and handled.original is not None:
        yield "    " + say("watch.original", path=handled.original)
