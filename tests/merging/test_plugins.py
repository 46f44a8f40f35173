"""Merge methods of other packages: made of plain functions, found, refused, never in the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import invalidate_caches
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import torch

from kanna import api
from kanna.cli import run
from kanna.errors import UsageError
from kanna.identity import said
from kanna.merging.discovery import plugged
from kanna.merging.method import Method, built_in
from kanna.merging.plugins import MARK, Between, method
from kanna.merging.registry import left_out, method_called, methods
from merge_calls import merged, noise, numbers_of, viewed

GOOD = '''
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from kanna.merging.plugins import Between, method

if TYPE_CHECKING:
    import torch


@method(
    summary={"en": "Takes whichever is larger.", "ja": "大きいほうを取ります。"},
    aliases=["elevate"], formula="lerp(A, max(A, B), alpha)", elementwise=True,
)
def lift(
    a: torch.Tensor, b: torch.Tensor, *, alpha: Annotated[float, Between(0, 1), "how much"] = 0.5
) -> torch.Tensor:
    return a + alpha * (b - a).clamp(min=0)


@method()
def noisy_mean(
    *models: torch.Tensor, base: torch.Tensor,
    weights: Annotated[Sequence[float], Between(0, 2)] = (1.0,),
    noise: Literal["none", "small"] = "none",
    generators: Sequence[torch.Generator],
) -> torch.Tensor:
    """Averages what the models have learned.

    With a little noise.
    """
    import torch

    total = sum(w * (model - base) for w, model in zip(weights, models))
    if noise == "small":
        total = total + torch.randn(base.shape, generator=generators[-1])
    return base + total / len(models)
'''
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package with these entry points and this code, for one test."""
    made: list[str] = []

    def add(package: str, entries: dict[str, str], code: str = "") -> None:
        root = tmp_path / package
        info = root / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {value}" for name, value in entries.items()]
        (info / "entry_points.txt").write_text("\n".join(["[kanna.methods]", *lines]) + "\n")
        (root / f"{package}.py").write_text(code, encoding="utf-8")
        monkeypatch.syspath_prepend(str(root))
        made.append(package)
        invalidate_caches()
        plugged.cache_clear()

    yield add
    for package in made:
        sys.modules.pop(package, None)
    plugged.cache_clear()


@pytest.fixture
def good(install: Install) -> None:
    install(
        "good_merges", {"lift": "good_merges:lift", "noisy-mean": "good_merges:noisy_mean"}, GOOD
    )


@pytest.mark.usefixtures("good")
def test_a_package_adds_methods() -> None:
    assert list(methods())[-2:] == ["lift", "noisy-mean"]
    lift = method_called("elevate")
    assert (lift.name, lift.kind, lift.models, lift.base) == ("lift", "elementwise", 2, "none")
    (alpha,) = lift.parameters
    assert (alpha.kind, alpha.default, alpha.least, alpha.most) == ("number", 0.5, 0, 1)
    assert dict(alpha.text) == {"en": "how much", "ja": "how much"}
    noisy = method_called("noisy-mean")
    assert (noisy.kind, noisy.models, noisy.base, noisy.random) == (
        "tensor",
        None,
        "required",
        True,
    )
    assert noisy.summary["en"] == "Averages what the models have learned."
    weights, word = noisy.parameters
    assert (weights.per_model, weights.default, weights.most) == (True, 1.0, 2)
    assert (word.kind, word.words, word.default) == ("word", ("none", "small"), "none")


@pytest.mark.usefixtures("good")
def test_they_merge_as_kannas_own_do() -> None:
    a, b, base = (noise(5, 7, seed=seed) for seed in (1, 2, 3))
    assert torch.allclose(merged("lift", a, b, alpha=1.0), torch.maximum(a, b))
    whole = viewed("lift", a, b, alpha=0.25)
    assert not whole.data.whole  # read in runs
    assert torch.equal(numbers_of(whole), merged("lift", a, b, alpha=0.25))
    found = merged("noisy-mean", a, b, base=base, weights=[1.0, 0.0])
    assert torch.allclose(found, base + (a - base) / 2)
    noisy = [merged("noisy-mean", a, b, base=base, noise="small", key=key) for key in "xxy"]
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
    with pytest.raises(UsageError, match=r"0.*1"):
        merged("lift", a, b, alpha=2.0)


@pytest.mark.usefixtures("good")
def test_they_are_listed_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["methods", "lift", "--lang", "ja"]) == 0
    assert "大きいほうを取ります。" in capsys.readouterr().out
    assert run(["explain", "elevate"]) == 0
    text = capsys.readouterr().out
    assert "lerp(A, max(A, B), alpha)" in text
    (found,) = api.merge_methods(["lift"]).methods
    assert api.method_document(found)["plugin"] is True
    assert api.method_document(built_in()["ties"])["plugin"] is False


def test_broken_packages_are_named_and_left_out(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("raising", {"raises": "raising:x"}, "raise ValueError('no \\x1b[31mluck')")
    install("leaving", {"leaves": "leaving:x"}, "raise SystemExit(3)")
    install("missing", {"not-there": "missing:nothing"})
    install("plain", {"plain": "plain:function"}, "def function(a, b): return a")
    install("gone", {"gone": "no_such_module:function"})
    assert methods().keys() == built_in().keys()
    assert len(left_out()) == 5
    assert run(["methods", "--lang", "en"]) == 0
    shown = capsys.readouterr()
    assert "weighted-sum" in shown.out
    for package in ("raising", "leaving", "missing", "plain", "gone"):
        assert f"of the package {package} was left out" in shown.err
    assert "\x1b[31m" not in shown.err
    with pytest.raises(UsageError) as wrong:
        method_called("raises")
    assert "luck" in str(wrong.value)


def test_no_package_takes_the_place_of_a_method(install: Install) -> None:
    code = GOOD.replace("def lift", "def ties").replace('["elevate"]', "[]")
    install("taking", {"ties": "taking:ties"}, code)
    install("aliasing", {"lift": "aliasing:lift"}, GOOD.replace("elevate", "task_arithmetic"))
    own = method_called("ties")
    assert own is built_in()["ties"]
    assert methods()["ties"] is own
    assert method_called("Task_Arithmetic").name == "task-arithmetic"
    assert [said(note).split("another")[1] for note in left_out()] == [
        " method is called task-arithmetic already.",
        " method is called ties already.",
    ]


def test_the_first_of_two_packages_has_the_name(install: Install) -> None:
    install("good_merges", {"lift": "good_merges:lift"}, GOOD)
    install("other_merges", {"lift": "other_merges:lift"}, GOOD)
    assert method_called("lift").function == "good_merges:lift"
    assert [note.values["package"] for note in left_out()] == ["other_merges"]


def test_an_entry_can_be_a_row_of_its_own(install: Install) -> None:
    install(
        "rows",
        {"half": "rows:ROW"},
        "from kanna.merging.method import Method\n"
        "ROW = Method(name='half', kind='linear', function='rows:half', models=1)\n"
        "def half(count): return [0.5]\n",
    )
    assert merged("half", torch.ones(3)).tolist() == [0.5] * 3


def test_nothing_is_imported_for_a_method_of_kannas_own(install: Install) -> None:
    install("loud", {"loud": "loud:x"}, "raise SystemExit('imported')")
    assert method_called("ties").name == "ties"
    assert "loud" not in sys.modules
    assert api.explain("sdxl")
    assert plugged.cache_info().currsize == 0


def test_a_name_that_nobody_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as wrong:
        method_called("weigted-sum")
    assert "weighted-sum" in str(wrong.value)


def test_a_decorated_function_stays_what_it_is() -> None:
    @method(name="twofold", copies=(2, 3))
    def twice(
        a: torch.Tensor, *, base: torch.Tensor | None = None, flag: bool = False, count: int = 2
    ) -> torch.Tensor:
        return (a if base is None or flag else a - base) * count

    assert twice(torch.ones(2), count=3).tolist() == [3, 3]
    row: Any = getattr(twice, MARK)
    assert isinstance(row, Method)
    assert (row.name, row.models, row.base, row.copies) == ("twofold", 1, "optional", (2, 3))
    assert [(one.name, one.kind, one.default) for one in row.parameters] == [
        ("flag", "flag", False),
        ("count", "count", 2),
    ]


def test_what_is_no_method_is_refused_where_it_is_made() -> None:
    with pytest.raises(TypeError, match="models"):

        @method()
        def nothing(*, alpha: float = 1.0) -> torch.Tensor:
            raise NotImplementedError

    with pytest.raises(TypeError, match="kind of parameter"):

        @method()
        def odd(a: torch.Tensor, *, alpha: bytes = b"") -> torch.Tensor:
            raise NotImplementedError


def test_a_parameter_without_a_default_must_be_given() -> None:
    @method()
    def scaled(
        a: torch.Tensor,
        *,
        factors: Annotated[Sequence[float], Between(least=0)],
        way: Literal["up", "down"],
    ) -> torch.Tensor:
        raise NotImplementedError

    row: Any = getattr(scaled, MARK)
    assert [(one.default, one.per_model, one.least, one.most) for one in row.parameters] == [
        (None, True, 0, None),
        (None, False, None, None),
    ]


def test_the_decorator_needs_no_torch() -> None:
    code = "import sys, kanna.merging.plugins; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
