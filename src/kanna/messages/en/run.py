"""`kanna run`: help, and what it says on the way."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Make what a recipe says.",
    "help": "Make the output of RECIPE: a TOML file, a model that carries its recipe, or what A1111, SuperMerger, sd-mecha and mergekit write, as far as their methods exist here. With -, the recipe is read from stdin.\n\nThe models are found at their paths, which begin at the recipe's folder; else by name or SHA-256 in the folders of --models, with all that is in them, among the files that kanna hash has seen, and in your library. A file whose SHA-256 is not the one in the recipe is refused (exit code 13). Nothing between the inputs and the output touches the disk.\n\nWith axes, in the recipe or by --sweep, one output is made for each of their points. Those that are there already, made by the same recipe, are left alone.",
    "examples": "Examples:\n\n  kanna run recipe.toml -o out.safetensors\n\n  kanna recipe of merged.safetensors | kanna run - --models models/ -o again.safetensors\n\n  kanna run recipe.toml --set mix.alpha=0.4 -o out.safetensors --dry-run\n\n  kanna run recipe.toml --sweep alpha=0.1:0.9:0.1 -o 'grid/{{alpha}}.safetensors'",
    "option_output": "Output file, or a folder; of a sweep its name may hold {{step.parameter}}.",
    "option_models": "Look for models in this folder and below (may be repeated).",
    "option_set": "Another value for a number or word of the recipe (may be repeated).",
    "option_sweep": "Make an output for each number, both ends included (may be repeated).",
    "option_together": "So many outputs in one pass over the models.",
    "hashing": "Hashing {path} to see whether it is a model of the recipe …",
    "in_library": "{name} was found in the library: {path}.",
    "renamed": "{name} was found as {path}.",
    "no_output": ("The recipe does not say what to write.", "Name the output with -o."),
    "output_elsewhere": (
        "The recipe would write to {output}, outside its own folder.",
        "Name the output with -o.",
    ),
    "column_output": "output",
    "summary": "made {made}, planned {planned}, there already {there}, failed {failed}",
}
