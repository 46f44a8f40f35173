"""`kanna merge`: make one model of several."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, get_args

import click

from kanna import api
from kanna.cli.merge_job import carry_out, sweeping
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.running import running
from kanna.cli.wishing import numbers_in, wish_of, wishing
from kanna.errors import UsageError
from kanna.merging.recipe import Compat, Recipe, Wish

_MISSING: Final = ("keep", "refuse")


@click.command("merge", cls=Verb)
@click.argument("method", metavar="METHOD")
@click.argument("models", metavar="A B [C ...]", nargs=-1, required=True, type=ModelPath())
@option("-o", "--output", text="merge.option_output", type=str, required=True)
@option("--base", text="merge.option_base", type=ModelPath())
@option("-a", "--alpha", text="merge.option_alpha", type=float)
@option("-w", "--weights", text="merge.option_weights", metavar="N,N,...")
@option("--set", "settings", text="merge.option_set", metavar="NAME=VALUE", multiple=True)
@option("--blocks", text="merge.option_blocks", metavar="BLOCKS", default="")
@option("--elements", text="merge.option_elements", metavar="RULE", multiple=True)
@option("--block-method", "block_methods", text="merge.option_block_method",
        metavar="BLOCKS=METHOD", multiple=True)  # fmt: skip
@option("--seed", text="merge.option_seed", type=int, default=0)
@sweeping
@option("--vae", text="merge.option_vae", metavar="A|B|FILE|merge", default="")
@option("--missing", text="merge.option_missing", type=click.Choice(_MISSING),
        default=Wish().missing)  # fmt: skip
@option("--compat", text="merge.option_compat", type=click.Choice(get_args(Compat)))
@wishing
@running
@common
def merge(*, as_json: bool, quiet: bool, verbose: bool, **given: Any) -> int:
    """Make one model of several, or one for each point of a sweep."""
    recipe = _recipe(given)
    paths = {name: api.as_path(source.path or "") for name, source in recipe.sources.items()}
    return carry_out(recipe, given["output"], paths, given, stem=given["models"][0].stem,
                     as_json=as_json, quiet=quiet, verbose=verbose)  # fmt: skip


def _recipe(given: dict[str, Any]) -> Recipe:
    return api.merge_recipe(
        given["method"], given["models"], base=given["base"], alpha=given["alpha"],
        weights=numbers_in("--weights", given["weights"]), blocks=given["blocks"],
        elements=given["elements"], settings=given["settings"], sweeps=given["sweeps"],
        seed=given["seed"],
        block_methods=dict(map(_block_method, given["block_methods"])), vae=given["vae"],
        compat=given["compat"], output=replace(wish_of(given), missing=given["missing"]),
    )  # fmt: skip


def _block_method(rule: str) -> tuple[str, str]:
    """Return the blocks and the method of a rule.

    Raises:
        UsageError: it is none.
    """
    blocks, _, method = rule.rpartition("=")
    if not blocks.strip() or not method.strip():
        raise UsageError("merge.bad_block_method", given=rule)
    return blocks.strip(), method.strip()
