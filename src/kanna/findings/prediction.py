"""Chapter 7: what the model predicts, and whether programs will learn of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kanna.families import tables
from kanna.findings.subject import Subject, found, mend
from kanna.findings.values import Finding, Repair
from kanna.model import Note

# The configs of the tables are loaded where they are asked for: most models need none.
if TYPE_CHECKING:
    from kanna.families.configs import Config

_SCHEDULE: Final = "alphas_cumprod"
_STEPS: Final = 1000
_TERMINAL: Final = 1e-4  # a standard schedule ends at 0.0047, one of zero SNR at 0
# kohya-ss sd-scripts writes this when it trains with --zero_terminal_snr.
_ZERO_SNR: Final = "ss_zero_terminal_snr"
# Source: ComfyUI comfy/supported_models.py, SD_X4Upscaler.
_PLAIN: Final = frozenset({"x4-upscaler"})
_SAY_THE_SAME: Final = {"v_pred": ("edm_vpred.sigma_max",)}
# Only what decides how weights are loaded and used; other keys are taste.
_GRAVE: Final = (
    "parameterization", "in_channels", "out_channels", "context_dim", "model_channels",
    "channel_mult", "adm_in_channels", "scale_factor", "num_head_channels", "transformer_depth",
    "embed_dim", "z_channels",
)  # fmt: skip


def predicted(subject: Subject) -> tuple[str, Note] | None:
    """Return what the model predicts and how that is known: the surest source first."""
    own = subject.identity.prediction
    if own is not None and own.certainty == "certain":
        return own.type, own.why
    if subject.config is not None:
        from kanna.families.configs import predicted_by

        if predicted_by(subject.config) == "v":
            return "v", Note("findings.prediction_config")
    return (own.type, own.why) if own is not None else None


def markers(subject: Subject) -> Iterator[Finding]:
    """Find a v-prediction model that does not say so where programs look for it."""
    told = predicted(subject)
    if told is None or told[0] != "v":
        return
    from kanna.families.configs import markers_for

    wanted = markers_for(subject.identity.architecture or "", "v", zero_snr=_zero_snr(subject))
    config = _config(subject, "v")
    lacking = tuple(name for name in wanted if not _there(subject, name))
    if lacking and config is not None and not config.guessed and not _plain(subject):
        yield found("KN701", names=lacking, repair=mend(markers=lacking),
                    markers=", ".join(lacking), why=told[1])  # fmt: skip


def missing_config(subject: Subject) -> Iterator[Finding]:
    """Find a model that A1111 takes for another unless a config beside it says better.

    What is not said to predict v is taken for epsilon, or told by its tensors.
    """
    told = predicted(subject)
    beside = subject.config is not None or subject.config_trouble is not None
    if told is None or told[0] != "v" or beside or subject.identity.kind != "checkpoint":
        return
    wanted = _config(subject, "v")
    if wanted is not None and not wanted.guessed:
        yield found("KN702", repair=Repair(config=True), config=wanted.file,
                    command=("kanna", "yaml", str(subject.path)))  # fmt: skip


def wrong_config(subject: Subject) -> Iterator[Finding]:
    """Find a config that says something else than the model: it wins, even when it is wrong."""
    told = predicted(subject)
    if subject.config_trouble is not None:
        yield found("KN703", "unreadable", why=subject.config_trouble)
    if subject.config is None or told is None:
        return
    from kanna.families.configs import differences

    wanted = _config(subject, told[0])
    if wanted is None:
        return
    keys = [key for key in differences(subject.config, wanted.document) if key.endswith(_GRAVE)]
    if keys:
        yield found("KN703", count=len(keys), key=keys[0], config=wanted.file,
                    repair=Repair(config=True),
                    command=("kanna", "yaml", str(subject.path), "--force"))  # fmt: skip


def contradiction(subject: Subject) -> Iterator[Finding]:
    """Find metadata that says another prediction than the model's (chapter 8)."""
    told = predicted(subject)
    if told is None:
        return
    for row in tables()["everywhere"]["prediction"]:
        value = subject.model.metadata.get(row["key"])
        word = row["words"].get(value.strip().lower()) if value else None
        if word is not None and word != told[0]:
            yield found("KN803", repair=mend(drop_metadata=(row["key"],)), key=row["key"],
                        value=value, type=told[0], why=told[1])  # fmt: skip


def _config(subject: Subject, prediction: str) -> Config | None:
    """Return the config that the model takes, where the tables have one."""
    from kanna.families.configs import config_for

    identity = subject.identity
    variants = identity.variant_candidates or ((identity.variant,) if identity.variant else ())
    return config_for(identity.architecture or "", variants, prediction)


def _plain(subject: Subject) -> bool:
    """Whether programs know by its tensors that the variant predicts v, without a marker."""
    return subject.identity.variant in _PLAIN


def _there(subject: Subject, marker: str) -> bool:
    """Whether the file has a marker, or another one that says the same."""
    words = (marker, *_SAY_THE_SAME.get(marker, ()))
    return any(name.endswith(words) for name in subject.identity.markers)


def _zero_snr(subject: Subject) -> bool:
    """Whether the noise schedule ends in noise alone: told by metadata or by the schedule."""
    if subject.model.metadata.get(_ZERO_SNR) == "True":
        return True
    tensor = subject.model.get(_SCHEDULE)
    alphas = tensor.numbers() if tensor is not None and tensor.numel == _STEPS else None
    return alphas is not None and alphas[0] > 0 and abs(alphas[-1]) < _TERMINAL
