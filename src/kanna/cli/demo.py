"""`kanna demo`: the main job on a made-up checkpoint."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import click

from kanna import api
from kanna.cli.convert_report import result_document, result_lines
from kanna.cli.options import Verb, common, option
from kanna.cli.output import print_json, styled, table
from kanna.cli.progress import Bar
from kanna.cli.report import document, report
from kanna.messages import say, size_text


@click.command("demo", cls=Verb)
@option("--full", text="demo.option_full", is_flag=True)
@option("--folder", text="demo.option_folder", type=click.Path(path_type=Path))
@common
def demo(*, full: bool, folder: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Make a damaged checkpoint and a VAE, and take them through the whole job."""
    place = folder or Path(tempfile.mkdtemp(prefix="kanna-demo-"))
    try:
        _show(place, full=full, as_json=as_json, quiet=quiet, verbose=verbose)
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


def _show(place: Path, *, full: bool, as_json: bool, quiet: bool, verbose: bool) -> None:
    silent = as_json or quiet
    _say("demo.making", silent=silent, folder=place)
    model, vae = api.make_demo(place, full=full)
    before = api.inspect(model)
    _say("demo.step", silent=silent, command=f'kanna inspect "{model.name}"')
    _lines(report(before, verbose=verbose), silent=silent)
    command = f'kanna convert "{model.name}" --for generation --vae {vae.name}'
    _say("demo.step", silent=silent, command=command)
    with Bar(model.name, hidden=silent) as bar:
        made = api.convert(
            model, None, api.ConvertOptions(purpose="generation"), vae=vae, progress=bar
        )
    _lines(result_lines(made, verbose=verbose), silent=silent)
    after = api.inspect(made.destination)
    _say("demo.step", silent=silent, command=f"kanna inspect {made.destination.name}")
    _lines(report(after, verbose=verbose), silent=silent)
    _say("demo.compare", silent=silent)
    _lines(_comparison(before, after, made), silent=silent)
    if as_json:
        print_json({"before": document(before), "convert": result_document(made),
                    "after": document(after)})  # fmt: skip


def _comparison(before: api.Inspection, after: api.Inspection, made: api.Conversion) -> list[str]:
    """Return the table of the file before and after."""
    old, new = before.identity, after.identity
    yes, no = say("demo.yes"), say("demo.no")
    rows = [
        ["", say("convert.before"), say("convert.after")],
        [say("demo.row_file"), Path(old.path).name, Path(new.path).name],
        [say("demo.row_size"), size_text(old.size), size_text(new.size)],
        [say("demo.row_runs_code"), *(yes if "ckpt" in i.container else no for i in (old, new))],
        [say("demo.row_dtype"), old.dtype or "-", new.dtype or "-"],
        [say("demo.row_tensors"), f"{len(before.model):,}", f"{len(after.model):,}"],
        ["EMA", *(size_text(i.ema.bytes) if i.ema.present else no for i in (old, new))],
        [
            say("inspect.row_position_ids"),
            *(say(f"demo.ids_{i.position_ids.state}") for i in (old, new)),
        ],
        [say("demo.row_junk"), *(str(sum(g.tensors for g in i.junk)) for i in (old, new))],
    ]
    if made.result:
        rows.append([say("demo.row_time"), "", f"{made.result.seconds:.1f} s"])
    memory = _peak_memory()
    if memory:
        rows.append([say("demo.row_memory"), "", size_text(memory)])
    lines = table(rows)
    return [styled(lines[0], "dim"), *lines[1:]]


def _peak_memory() -> int | None:
    """Return the most memory that this process had, where the system tells."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _say(key: str, *, silent: bool, **values: object) -> None:
    if not silent:
        click.echo("\n" + styled(say(key, **values), "cyan", "bold") + "\n")


def _lines(lines: list[str], *, silent: bool) -> None:
    if not silent:
        click.echo("\n".join(lines))
