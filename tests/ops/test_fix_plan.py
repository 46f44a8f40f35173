"""Many repairs as one conversion."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from kanna.findings.values import Finding, Repair, Rule
from kanna.model import Note
from kanna.ops.fix import gather


def finding(code: str, options: Mapping[str, object] | None, *, config: bool = False) -> Finding:
    rule = Rule(code=code, name=code.lower(), severity="warning")
    repair = None if options is None else Repair(options=options, config=config)
    return Finding(rule=rule, note=Note(code), repair=repair)


def test_repairs_become_the_options_of_one_conversion() -> None:
    fixes = gather([
        finding("KN101", {"container": "safetensors"}),
        finding("KN401", {"prune": True}),
        finding("KN402", {"dtypes": {"vae": "fp32"}}),
        finding("KN403", {"dtypes": {"diffusion_model": "fp16"}, "prune": True}),
        finding("KN701", {"markers": ("v_pred",)}, config=True),
        finding("KN702", {"markers": ("v_pred", "ztsnr")}),
    ])  # fmt: skip
    options = fixes.conversion()
    assert (options.container, options.prune) == ("safetensors", True)
    assert options.dtypes == {"vae": "fp32", "diffusion_model": "fp16"}
    assert options.markers == ("v_pred", "ztsnr")
    assert fixes.config
    assert not fixes.left


def test_of_two_repairs_that_contradict_the_first_is_taken_and_the_other_left() -> None:
    drop, use = finding("KN301", {"ema": "drop"}), finding("KN302", {"ema": "use", "prune": True})
    inner = finding("KN303", {"dtypes": {"vae": "fp16"}})
    other = finding("KN304", {"dtypes": {"vae": "fp32", "ema": "fp32"}})
    fixes = gather([drop, use, inner, other])
    assert fixes.mended == [drop, inner]
    assert fixes.left == [use, other]
    assert fixes.options == {"ema": "drop", "dtypes": {"vae": "fp16"}}


def test_what_no_machine_decides_is_left() -> None:
    by_hand = finding("KN601", None)
    fixes = gather([by_hand])
    assert (fixes.mended, fixes.left) == ([], [by_hand])


_OPTIONS = st.dictionaries(
    st.sampled_from(["ema", "container", "prune"]), st.sampled_from(["a", "b"]), max_size=3
)


@given(st.lists(st.none() | _OPTIONS, max_size=8))
def test_every_finding_is_mended_or_left_and_each_mended_one_gets_what_it_asked(
    wanted: list[dict[str, object] | None],
) -> None:
    findings = [finding(f"KN{number}", options) for number, options in enumerate(wanted)]
    fixes = gather(findings)
    assert len(fixes.mended) + len(fixes.left) == len(findings)
    for one in fixes.mended:
        assert one.repair is not None
        assert one.repair.options.items() <= fixes.options.items()
