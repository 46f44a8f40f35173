"""`kanna methods`, and the pages of merge methods."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "List the ways of merging models.",
    "help": "List the methods of kanna merge: how many models each merges, whether it takes a "
    "base, what it is good for, its parameters with their defaults and ranges.\n\nWith WORDs only "
    "those that mention all of them: a name, the name in another program, a parameter, a paper.",
    "examples": "Examples:\n\n  kanna methods\n\n  kanna methods density\n\n"
    "  kanna methods --json ties\n\n  kanna explain ties",
    "more": "kanna explain METHOD tells more about each; --set NAME=VALUE sets a parameter.",
    "none": (
        "No merge method mentions {words}.",
        "Take a word away, or see the whole list with kanna methods.",
    ),
    "one": "1 model",
    "models": "{count} models",
    "two_or_more": "2 or more models",
    "base_required": "{models} + base",
    "base_optional": "{models} (+ base)",
    "range": "{least:g}–{most:g}",
    "kind_linear": "Weighted sums: at the speed of the disk, without torch",
    "kind_elementwise": "Number by number: needs torch, little memory",
    "kind_tensor": "Whole tensors: needs torch, and memory for several copies of the largest",
    "random": "yes: by --seed and the tensor's name, the same whatever the order and the threads",
    "row_formula": "formula",
    "row_formula_of_many": "of many models",
    "row_needs": "needs",
    "row_kind": "computed as",
    "row_random": "random",
    "row_aliases": "also called",
    "row_sources": "sources",
    "section_parameters": "Parameters",
    "section_example": "Example",
    "column_parameter": "parameter",
    "column_default": "default",
    "column_range": "range",
    "column_text": "what it is",
    "plugin_broken": "The merge method {name} of the package {package} was left out, because it "
    "fails: {reason}",
    "plugin_taken": "The merge method {name} of the package {package} was left out: another method "
    "is called {word} already.",
    "left_out": (
        "The merge method {method} is not there. {reason}",
        "Update or remove the package, or take another method: kanna methods lists them.",
    ),
    "page_title": "Merge methods",
    "page_other": "日本語: [methods.ja.md](methods.ja.md)",
    "page_intro": "What `kanna merge METHOD` can do. A, B, C are the models in the order in which "
    "they are named, X is any of them, and what is called base is given with `--base`; where a "
    "formula has one model more than are merged, the last letter is the base. Numbers may differ "
    "from block to block. `--set NAME=VALUE` sets a parameter; `--alpha` and `--weights` are "
    "shortcuts. Sums are made in fp64, all else in fp32 (in fp64 where angles and lengths decide), "
    "and the result is rounded once.\n\nOther packages can add methods: [methods-plugins.md](methods-plugins.md).",
}
