"""YAML as plain data: the oracle is ``yaml.safe_load``, which tests may use."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kanna.errors import FormatError
from kanna.formats.strict_yaml import parse_yaml, plain_scalar, read_yaml, tags

_HERE = Path("m.yaml")
_CONFIG = """
model:
  base_learning_rate: 1.0e-04
  target: ldm.models.diffusion.ddpm.LatentDiffusion
  params:
    parameterization: "v"
    linear_start: 0.00085
    timesteps: 1000
    channel_mult: [1, 2, 4, 4]
    use_ema: False
    ckpt: ~
    text: |
      two
      lines
"""


def test_a_configuration_reads_as_safe_load_reads_it() -> None:
    assert parse_yaml(_CONFIG, _HERE) == yaml.safe_load(_CONFIG)


# Without line breaks that PyYAML itself does not bring back.
_TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\ufeff")
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.dictionaries(_TEXTS.filter(lambda key: key != "<<"), _VALUES, max_size=4))
def test_what_safe_dump_writes_comes_back(config: dict[str, object]) -> None:
    text = yaml.safe_dump(config, allow_unicode=True)
    assert parse_yaml(text, _HERE) == yaml.safe_load(text) == config


@given(st.text(alphabet="+-0123456789._eExXobBaAfFinNtrueyso~ ", min_size=1, max_size=12))
@example("1e-4")
@example("017")
@example("0x1F")
@example("0b_")
@example("-.inf")
@example(".NaN")
@example("Yes")
@example("nO")
@example("1_000")
@example("1.5E3")
@example("-.0")
@example("+.5e-3")
def test_plain_scalars_mean_what_they_mean_to_safe_load(text: str) -> None:
    try:
        wanted = yaml.safe_load(f"a: {text}")["a"]
    except (yaml.YAMLError, ValueError, TypeError, KeyError, AttributeError):
        return
    if not isinstance(wanted, bool | int | float | str | None):
        return  # dates stay text
    found = parse_yaml(f"a: {text}", _HERE)["a"]
    assert type(found) is type(wanted)
    same_nan = isinstance(wanted, float) and math.isnan(wanted) and math.isnan(float(str(found)))
    assert same_nan or found == wanted


@settings(deadline=None)
@given(st.text())
@example('a: "\\U00110000"')
@example("%YAML 9" + "9" * 5000 + ".1\n---\na: 1")
@example("a: [" * 5000)
@example("? ? ?\n")
@example("- " * 3000)
@example("a: 1\n---\nb: 2")
@example("\x00")
def test_anything_is_plain_data_or_an_error_of_ours(text: str) -> None:
    list(tags(text))
    with suppress(FormatError):
        assert isinstance(parse_yaml(text, _HERE), dict)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a: !!python/object/apply:os.system [x]", "strict_yaml.tag"),
        ("a: !mine 1", "strict_yaml.tag"),
        ("a: !!str 1", "strict_yaml.tag"),
        ("a: &x 1", "strict_yaml.alias"),
        ("a: &x [1]\nb: *x", "strict_yaml.alias"),
        ("a: 1\na: 2", "strict_yaml.key"),
        ("<<: {a: 1}", "strict_yaml.key"),
        ("? [1]\n: 2", "strict_yaml.key"),
        ("- 1", "strict_yaml.no_mapping"),
        ("1: 2", "strict_yaml.no_mapping"),
        ("", "strict_yaml.no_mapping"),
        ("a: 1\n---\nb: 1", "strict_yaml.documents"),
        ("a: [1", "strict_yaml.invalid"),
        ("a: " + "[" * 100, "strict_yaml.crowded"),
        ("a: [" + "1," * 60_000 + "1]", "strict_yaml.crowded"),
    ],
)
def test_what_is_not_plain_is_refused(text: str, key: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_yaml(text, _HERE)
    assert caught.value.key == key


def test_files_are_bounded_and_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xe4\xbe\x8b\n")
    assert read_yaml(path) == {"a": "例"}
    path.write_bytes(b"a: \xff")
    with pytest.raises(FormatError, match="not valid YAML"):
        read_yaml(path)
    path.write_bytes(b"a: 1\n" + b"#" * (1 << 20))
    with pytest.raises(FormatError, match="too long"):
        read_yaml(path)


def test_endless_digits_stay_text() -> None:
    assert plain_scalar("9" * 5000) == "9" * 5000
