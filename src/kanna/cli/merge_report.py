"""What `kanna merge` prints: the models, the steps, what becomes of tensors, and the outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from kanna.api import Merging
from kanna.cli.outcome import done_lines, note_documents, note_lines, outcome_document
from kanna.cli.output import error_document, styled, table
from kanna.families.pages import spoken
from kanna.merging.method import Method
from kanna.merging.recipe import Step, Value, Weight
from kanna.merging.registry import method_called
from kanna.messages import say, shown, size_text

_COLUMNS = 6
_TWO, _HALF = 2, 0.5


def merge_lines(made: Merging, *, verbose: bool) -> Iterator[str]:
    """Yield the report of one merge, planned or done."""
    plan = made.planned.plan
    size = made.result.size if made.result else plan.data_bytes
    yield f"{styled(shown(made.destination), 'bold')}  {size_text(size)}"
    yield ""
    yield from table([_source(made, name, verbose=verbose) for name in made.recipe.sources])
    yield ""
    for step in made.recipe.steps:
        yield from step_lines(step)
    for path, numbers in made.planned.tables.items():
        yield from _block_lines(path, numbers, verbose=verbose)
    yield ""
    yield from _count_lines(made)
    if plan.notes:
        yield ""
    yield from note_lines(plan.notes, verbose=verbose)
    yield ""
    yield from _closing(made)


def _source(made: Merging, name: str, *, verbose: bool) -> list[str]:
    """Return the row of a source: its name here, the file, its size, its hash."""
    model, sha256 = made.sources[name].model, made.recipe.sources[name].sha256
    digest = sha256 if verbose else (sha256 or "")[:10]
    return [name, shown(model.path), size_text(model.size), digest or say("merge.not_hashed")]


def step_lines(step: Step) -> Iterator[str]:
    """Yield what a step does, with its numbers."""
    models = ", ".join(step.inputs)
    if step.method == "lora":
        yield f"  {shown(step.name)}: LoRA ({shown(models)})"
    else:
        method = method_called(step.method)
        title = say("merge.step", title=spoken(method.title), models=models)
        yield f"  {shown(step.name)}: {title}  {styled(_formula(step, method), 'dim')}"
    for name, value in _parameters(step).items():
        yield f"    {name} = {_number_text(value)}"
    for pattern, other in step.block_methods.items():
        yield f"    {shown(pattern)}: {shown(other)}"
    if step.seed:
        yield f"    seed = {step.seed}"


def _formula(step: Step, method: Method) -> str:
    return method.formula_of_many if _of_many(step, method) else method.formula


def _of_many(step: Step, method: Method) -> bool:
    """Whether a step takes the formula that its method has for many models."""
    return bool(method.formula_of_many) and (
        len(step.models) > _TWO or "weights" in step.parameters
    )


def _parameters(step: Step) -> dict[str, Value]:
    """Return what a step says, and the defaults of what it does not, if they count."""
    given = dict(step.parameters)
    if step.method == "lora":
        return given
    method = method_called(step.method)
    if method.formula_of_many and not _of_many(step, method):
        return {
            "alpha": Weight(value=_HALF),
            **given,
        }  # what the method takes where nothing is said
    usual = {one.name: one.default for one in method.parameters}
    defaults = {name: _as_value(value) for name, value in usual.items() if value is not None}
    return {**defaults, **given}


def _as_value(default: float | str) -> Value:
    return Weight(value=default) if isinstance(default, float) else default


def _number_text(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_number_text, value))
    if isinstance(value, Weight):
        rules = [value.blocks, *value.elements]
        return shown("; ".join(filter(None, [f"{value.value:g}", *rules])))
    return str(value).lower() if isinstance(value, bool) else shown(value)


def _block_lines(path: str, numbers: Mapping[str, float], *, verbose: bool) -> Iterator[str]:
    """Yield the number of each block: several in a line, runs of the same one as one."""
    if not verbose and len(set(numbers.values())) == 1:
        return
    yield f"    {shown(path)}:"
    cells = [f"{blocks} {number:g}" for blocks, number in _runs(numbers)]
    rows = [cells[start : start + _COLUMNS] for start in range(0, len(cells), _COLUMNS)]
    yield from table([row + [""] * (_COLUMNS - len(row)) for row in rows], indent=6)


def _runs(numbers: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Yield neighbouring blocks of the same letters and number together: ``IN00–IN05``."""
    runs: list[tuple[list[str], float]] = []
    for block, number in numbers.items():
        letters = block.rstrip("0123456789")
        before = runs[-1] if runs else None
        if before and before[1] == number and before[0][0].rstrip("0123456789") == letters != block:
            before[0].append(block)
        else:
            runs.append(([block], number))
    for blocks, number in runs:
        yield (blocks[0] if len(blocks) == 1 else f"{blocks[0]}–{blocks[-1]}"), number


def _count_lines(made: Merging) -> Iterator[str]:
    """Yield how many tensors are merged, kept for which reason, and left out; their dtypes."""
    planned = made.planned
    kept = ", ".join(f"{say(f'merge.kept_{why}')} {count}" for why, count in planned.kept.items())
    rows = [[say("merge.merged"), str(planned.merged), ""]]
    if kept:
        rows.append([say("merge.copied"), str(sum(planned.kept.values())), kept])
    if planned.dropped:
        rows.append([say("merge.dropped"), str(planned.dropped), ""])
    yield from table(rows, right=(1,))
    sizes = ", ".join(f"{word} {size_text(size)}" for word, size in _by_dtype(made).items())
    yield f"  {sizes}"


def _by_dtype(made: Merging) -> dict[str, int]:
    sizes: Counter[str] = Counter()
    for output in made.planned.plan.outputs:
        sizes[output.dtype.word] += output.nbytes
    return dict(sizes.most_common())


def _closing(made: Merging) -> Iterator[str]:
    plan = made.planned.plan
    if made.error is not None:
        yield f"  {styled('!', 'red', 'bold')} {made.error.message}"
    elif made.result is None:
        yield "  " + say("merge.dry_run", tensors=len(plan.outputs), memory=size_text(made.memory),
                         size=size_text(plan.read_bytes))  # fmt: skip
    else:
        yield from done_lines(made.result, len(plan.outputs))


def merge_document(made: Merging) -> dict[str, object]:
    """Return the JSON document of one merge."""
    planned, plan = made.planned, made.planned.plan
    lead = made.sources[planned.parts.lead].identity
    return {
        "output": str(made.destination), "dry_run": made.result is None and made.error is None,
        "kind": lead.kind, "architecture": lead.architecture, "container": plan.container,
        "sources": [
            {"name": name, "path": made.sources[name].identity.path,
             "size": made.sources[name].model.size, "sha256": source.sha256}
            for name, source in made.recipe.sources.items()
        ],
        "lead": planned.parts.lead, "compat": made.recipe.compat,
        "steps": [step_document(step) for step in made.recipe.steps],
        "blocks": {path: dict(numbers) for path, numbers in planned.tables.items()},
        "merged": planned.merged, "kept": dict(planned.kept), "dropped": planned.dropped,
        "tensors": len(plan.outputs), "data_bytes": plan.data_bytes, "dtypes": _by_dtype(made),
        "memory": made.memory, "notes": note_documents(plan.notes),
        "result": outcome_document(made.result),
        "error": error_document(made.error) if made.error else None,
    }  # fmt: skip


def step_document(step: Step) -> dict[str, object]:
    """Return the JSON document of a step."""
    return {
        "name": step.name, "method": step.method, "models": list(step.models), "base": step.base,
        "parameters": {name: _value_document(value) for name, value in _parameters(step).items()},
        "block_methods": dict(step.block_methods), "seed": step.seed,
    }  # fmt: skip


def _value_document(value: Value) -> object:
    if isinstance(value, tuple):
        return [_value_document(one) for one in value]
    if isinstance(value, Weight) and (value.blocks or value.elements):
        elements = list(value.elements)
        return {"value": value.value, "blocks": value.blocks, "elements": elements}
    return value.value if isinstance(value, Weight) else value
