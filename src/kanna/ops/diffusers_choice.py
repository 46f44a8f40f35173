"""Which pipeline and which schedulers of diffusers a model takes."""

from __future__ import annotations

from dataclasses import replace

from kanna.errors import Incomplete, UnknownModel, UsageError
from kanna.families.pipelines import (
    Pipeline,
    Scheduler,
    pipelines_for,
    predictions_of,
    scheduler_for,
)
from kanna.identity import Identity, Prediction
from kanna.model import Note


def told(identity: Identity, prediction: str | None) -> Identity:
    """Return `identity` with the prediction that a person told."""
    if prediction is None:
        return identity
    why = Note("diffusers.why_told", warning=False)
    return replace(identity, prediction=Prediction(type=prediction, certainty="certain", why=why))


def pipelines(identity: Identity) -> tuple[Pipeline, ...]:
    """Return the pipelines that the model can make, the likeliest first.

    Raises:
        UnknownModel: none is known for such a model.
        Incomplete: it depends on what the model predicts, which is not known.
        UsageError: none is for a model that predicts that.
    """
    architecture, variants = identity.architecture or "", identity.variant_candidates
    prediction = identity.prediction.type if identity.prediction else None
    found = pipelines_for(architecture, variants, prediction)
    if found:
        return found
    words = predictions_of(architecture, variants)
    if words and prediction is None:
        raise Incomplete("diffusers.no_prediction", path=identity.path, words=", ".join(words))
    if words:
        raise UsageError("diffusers.no_such_prediction", path=identity.path, prediction=prediction,
                         words=", ".join(words))  # fmt: skip
    what = " ".join(filter(None, (identity.architecture, identity.variant))) or identity.kind
    raise UnknownModel("diffusers.no_pipeline", path=identity.path, what=what)


def schedulers(pipeline: Pipeline, identity: Identity) -> dict[str, Scheduler]:
    """Return every scheduler of the pipeline, by folder.

    Raises:
        UsageError: none fits what the model predicts.
    """
    prediction = identity.prediction.type if identity.prediction else None
    found = {}
    for component in pipeline.components:
        if component.schedulers:
            one = scheduler_for(component.schedulers, prediction, identity.markers)
            if one is None:
                raise UsageError("diffusers.no_scheduler", path=identity.path,
                                 pipeline=pipeline.class_name, prediction=prediction)  # fmt: skip
            found[component.folder] = one
    return found
