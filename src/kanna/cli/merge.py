"""`kanna merge`: make one model of several."""

from __future__ import annotations

from typing import Any, Final

import click

from kanna import api
from kanna.cli.merge_job import carry_out, sweeping
from kanna.cli.options import ModelPath, Verb, common, option
from kanna.cli.running import by_part, dtypes_by_role, running
from kanna.errors import UsageError
from kanna.merging.recipe import Recipe, Wish

_EMA: Final = ("drop", "keep")
_MISSING: Final = ("keep", "refuse")


@click.command("merge", cls=Verb)
@click.argument("method", metavar="METHOD")
@click.argument("models", metavar="A B [C ...]", nargs=-1, required=True, type=ModelPath())
@option("-o", "--output", text="merge.option_output", type=str, required=True)
@option("--base", text="merge.option_base", type=ModelPath())
@option("-a", "--alpha", text="merge.option_alpha", type=float)
@option("--weights", text="merge.option_weights", metavar="N,N,...")
@option("--set", "settings", text="merge.option_set", metavar="NAME=VALUE", multiple=True)
@option("--blocks", text="merge.option_blocks", metavar="BLOCKS", default="")
@option("--elements", text="merge.option_elements", metavar="RULE", multiple=True)
@option("--block-method", "block_methods", text="merge.option_block_method",
        metavar="BLOCKS=METHOD", multiple=True)  # fmt: skip
@option("--seed", text="merge.option_seed", type=int, default=0)
@sweeping
@option("--vae", text="merge.option_vae", metavar="A|B|FILE|merge", default="")
@option("--ema", text="merge.option_ema", type=click.Choice(_EMA), default="drop")
@option("--missing", text="merge.option_missing", type=click.Choice(_MISSING), default="keep")
@option("--compat", text="merge.option_compat", type=click.Choice(["a1111"]))
@option("--prune", text="merge.option_prune", is_flag=True)
@option("--position-ids", text="merge.option_position_ids", default="repair",
        type=click.Choice(api.words("position_ids")))  # fmt: skip
@option("--to", "container", text="convert.option_to", type=click.Choice(api.words("container")))
@by_part
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
        weights=_numbers(given["weights"]), blocks=given["blocks"], elements=given["elements"],
        settings=given["settings"], sweeps=given["sweeps"], seed=given["seed"],
        block_methods=dict(map(_block_method, given["block_methods"])), vae=given["vae"],
        compat=given["compat"], output=_wish(given),
    )  # fmt: skip


def _wish(given: dict[str, Any]) -> Wish:
    return Wish(
        container=given["container"], dtype=given["dtype"], dtypes=dtypes_by_role(given),
        ema=given["ema"], prune=given["prune"], position_ids=given["position_ids"],
        missing=given["missing"],
    )  # fmt: skip


def _numbers(text: str | None) -> list[float]:
    """Return a list of numbers.

    Raises:
        UsageError: one is none.
    """
    try:
        return [float(word) for word in text.split(",")] if text else []
    except ValueError as error:
        raise UsageError("merge.bad_weights", given=text) from error


def _block_method(rule: str) -> tuple[str, str]:
    """Return the blocks and the method of a rule.

    Raises:
        UsageError: it is none.
    """
    blocks, _, method = rule.rpartition("=")
    if not blocks.strip() or not method.strip():
        raise UsageError("merge.bad_block_method", given=rule)
    return blocks.strip(), method.strip()
