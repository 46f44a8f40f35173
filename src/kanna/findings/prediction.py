"""Chapter 7: what the model predicts, and whether programs will learn of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.families import tables
from kanna.families.configs import Config, config_for, differences, markers_for, predicted_by
from kanna.findings.subject import Subject, found, mend
from kanna.findings.values import Finding, Repair
from kanna.model import Note

_SCHEDULE: Final = "alphas_cumprod"
_TERMINAL: Final = 1e-4  # a standard schedule ends at 0.0047, one of zero SNR at 0
# kohya-ss sd-scripts writes this when it trains with --zero_terminal_snr.
_ZERO_SNR: Final = "ss_zero_terminal_snr"
_ANY_V: Final = frozenset({"v_pred", "edm_vpred.sigma_max"})


def predicted(subject: Subject) -> tuple[str, Note] | None:
    """Return what the model predicts and how that is known: the surest source first."""
    own = subject.identity.prediction
    if own is not None and own.certainty == "certain":
        return own.type, own.why
    if subject.config is not None and predicted_by(subject.config) == "v":
        return "v", Note("findings.prediction_config")
    return (own.type, own.why) if own is not None else None


def markers(subject: Subject) -> Iterator[Finding]:
    """Find a v-prediction model that does not say so where programs look for it."""
    there = {name for marker in subject.identity.markers for name in (marker, marker[-6:])}
    how = _v_unknown_to_loaders(subject)
    if how is None:
        return
    architecture = subject.identity.architecture or ""
    wanted = markers_for(architecture, "v", zero_snr=_zero_snr(subject))
    lacking = tuple(name for name in wanted if name not in there)
    if there & _ANY_V:
        lacking = tuple(name for name in lacking if name != "v_pred")
    if lacking:
        yield found("KN701", names=lacking, repair=mend(markers=lacking),
                    markers=", ".join(lacking), why=how)  # fmt: skip


def missing_config(subject: Subject) -> Iterator[Finding]:
    """Find a model that A1111 takes for another unless a config beside it says better."""
    wanted = _config(subject)
    beside = subject.config is not None or subject.config_trouble is not None
    if wanted is None or beside or wanted.guessed:
        return
    yield found("KN702", repair=Repair(config=True), config=wanted.file,
                command=("kanna", "yaml", str(subject.path)))  # fmt: skip


def wrong_config(subject: Subject) -> Iterator[Finding]:
    """Find a config that says something else than the model: it wins, even when it is wrong."""
    wanted = _config(subject)
    if wanted is None:
        return
    command = ("kanna", "yaml", str(subject.path), "--force")
    if subject.config_trouble is not None:
        yield found("KN703", "unreadable", repair=Repair(config=True), command=command,
                    why=subject.config_trouble)  # fmt: skip
    if subject.config is None:
        return
    keys = [key for key in differences(subject.config, wanted.document) if _grave(key)]
    if keys:
        yield found("KN703", repair=Repair(config=True), count=len(keys), key=keys[0],
                    config=wanted.file, command=command)  # fmt: skip


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


def _v_unknown_to_loaders(subject: Subject) -> Note | None:
    """Return how it is known that the model predicts v, where programs cannot guess it."""
    told = predicted(subject)
    if told is None or told[0] != "v":
        return None
    config = config_for(subject.identity.architecture or "", _variants(subject), "v")
    return None if config is None or config.guessed else told[1]


def _config(subject: Subject) -> Config | None:
    told = predicted(subject)
    if told is None or subject.identity.kind != "checkpoint":
        return None
    return config_for(subject.identity.architecture or "", _variants(subject), told[0])


def _variants(subject: Subject) -> tuple[str, ...]:
    identity = subject.identity
    return identity.variant_candidates or ((identity.variant,) if identity.variant else ())


def _zero_snr(subject: Subject) -> bool:
    """Whether the noise schedule ends in noise alone: told by metadata or by the schedule."""
    if subject.model.metadata.get(_ZERO_SNR) == "True":
        return True
    tensor = subject.model.get(_SCHEDULE)
    values = tensor.numbers() if tensor is not None and tensor.numel == 1000 else None
    return bool(values) and any(values or ()) and abs((values or (1.0,))[-1]) < _TERMINAL


# Only what decides how weights are loaded and used; other keys are taste.
_GRAVE: Final = (
    "parameterization", "in_channels", "out_channels", "context_dim", "model_channels",
    "channel_mult", "adm_in_channels", "scale_factor", "num_head_channels", "transformer_depth",
    "embed_dim", "z_channels",
)  # fmt: skip


def _grave(key: str) -> bool:
    return key.endswith(_GRAVE)
