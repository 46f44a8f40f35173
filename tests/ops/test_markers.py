"""Empty tensors that say how a model is to be used, and metadata that is left out."""

from __future__ import annotations

import json

import pytest

from kanna.dtypes import FP16
from kanna.errors import Incompatible, UsageError
from kanna.identify import identify
from kanna.metadata import HISTORY
from kanna.ops.convert import ConvertOptions, convert
from kanna.plan import Constant
from model_headers import headers, model_of
from models import bare_vae, identity_of, outputs


def test_a_marker_is_put_in_and_the_output_is_then_known_by_it() -> None:
    model = headers()["sdxl-base-fp16"].model()
    planned = convert(
        model, identify(model), ConvertOptions(markers=("v_pred", "ztsnr"), dtype="bf16")
    )
    assert {"v_pred", "ztsnr"} <= set(planned.tags)
    made = outputs(planned.plan)
    assert made["v_pred"].shape == made["ztsnr"].shape == (0,)
    assert made["v_pred"].op == Constant(b"")
    assert json.loads(planned.plan.metadata[HISTORY])[-1]["markers"] == ["v_pred", "ztsnr"]
    again = identify(model_of({name: output.shape for name, output in made.items()}, dtype=FP16))
    assert again.prediction is not None
    assert (again.prediction.type, again.prediction.certainty) == ("v", "certain")


def test_a_marker_that_is_there_stays_as_it_is() -> None:
    model = headers()["sdxl-vpred-ztsnr-fp16"].model()
    planned = convert(model, identify(model), ConvertOptions(markers=("v_pred",)))
    assert list(outputs(planned.plan)) == list(model)
    assert "convert.marker_there" in [note.key for note in planned.plan.notes]


def test_an_unknown_marker_is_refused_and_so_is_one_in_a_vae() -> None:
    model = headers()["sdxl-base-fp16"].model()
    with pytest.raises(UsageError):
        convert(model, identify(model), ConvertOptions(markers=("x_pred",)))
    with pytest.raises(Incompatible):
        convert(bare_vae(), identity_of(bare_vae()), ConvertOptions(markers=("v_pred",)))


def test_metadata_fields_are_left_out_and_that_is_recorded() -> None:
    model = model_of(headers()["sdxl-base-fp16"].tensors, metadata={"title": "x", "keep": "y"})
    options = ConvertOptions(drop_metadata=("title", "absent"))
    plan = convert(model, identify(model), options).plan
    assert "title" not in plan.metadata
    assert plan.metadata["keep"] == "y"
    assert json.loads(plan.metadata[HISTORY])[-1]["metadata_dropped"] == ["title"]
