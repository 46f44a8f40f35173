"""The config beside a model: which one it needs, and writing it, for `kanna yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from kanna.api.making import Conversion, convert
from kanna.api.reading import StrPath, identity_of
from kanna.disk import as_path, is_remote
from kanna.engine import Progress, RunOptions, publish
from kanna.errors import Incomplete, OutputExists, UnknownModel, UsageError
from kanna.families.configs import config_for, differences, markers_for, predictions
from kanna.formats.strict_yaml import read_yaml
from kanna.identity import Certainty, Identity
from kanna.model import Note
from kanna.ops.convert import ConvertOptions

_SUFFIX: Final = ".yaml"
_FEW: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The config of one model.

    `path` is where it stands or was written, `name` the name under which it is known, `text` what
    is in it. `prediction` is what the model predicts, `certainty` how sure that is and `why` how it
    is known. `guessed` says that A1111 of today does without. `state` is ``written``, ``planned``
    (a dry run) or ``there`` (a config that says the same was there already).
    """

    model: Path
    path: Path
    name: str
    text: str
    prediction: str
    certainty: Certainty
    why: Note
    guessed: bool
    state: str


def configure(
    path: StrPath,
    *,
    prediction: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Configuration:
    """Write the config of the model at `path` beside it, under the same name.

    That of a model behind a URL goes into the working folder.

    `prediction` (``epsilon`` or ``v``) overrides what the file says of itself.

    Raises:
        UnknownModel: kanna knows no config for such a model.
        Incomplete: nothing says what the model predicts, and `prediction` is not given.
        UsageError: no config of such a model has that prediction, or `path` is a folder.
        OutputExists: a config that says otherwise is there, and `force` was not given.
        FormatError: the model is broken.
    """
    source = as_path(path)
    if source.is_dir():
        raise UsageError("yaml.folder", path=source)
    identity = identity_of(source)
    word, certainty, why = _prediction(source, identity, prediction)
    found = config_for(identity.architecture or "", identity.variant_candidates, word)
    if found is None:
        raise UsageError("yaml.no_such_prediction", path=source, prediction=word,
                         words=", ".join(_known(source, identity)))  # fmt: skip
    text = _text(found.document)
    beside = source.with_suffix(_SUFFIX)
    target = Path(beside.name) if is_remote(source) else beside
    there = not force and _says_the_same(target, source, found.document)
    if not there and not dry_run:
        publish(target, text.encode(), force=force)
    return Configuration(
        model=source,
        path=target,
        name=found.file,
        text=text,
        prediction=word,
        certainty=certainty,
        why=why,
        guessed=found.guessed,
        state="there" if there else "planned" if dry_run else "written",
    )


def mark(
    path: StrPath,
    destination: StrPath | None,
    *,
    prediction: str | None = None,
    zero_snr: bool = False,
    dry_run: bool = False,
    run_options: RunOptions | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Conversion:
    """Make a copy of the model at `path` that carries what it predicts inside, as empty tensors.

    `zero_snr` adds the marker of a zero terminal signal-to-noise ratio.

    Raises:
        UsageError: a model that predicts this needs no marker.
        KannaError: as `configure` and `convert`.
    """
    source = as_path(path)
    identity = identity_of(source)
    word = prediction or (identity.prediction.type if identity.prediction else None)
    if word is None:
        raise Incomplete("yaml.no_prediction", path=source, words="epsilon, v")
    markers = markers_for(identity.architecture or "", word, zero_snr=zero_snr)
    if not markers:
        raise UsageError("yaml.no_marker", path=source, prediction=word)
    if zero_snr and markers == markers_for(identity.architecture or "", word, zero_snr=False):
        raise UsageError("yaml.no_ztsnr", path=source)
    return convert(
        path, destination, ConvertOptions(markers=markers), dry_run=dry_run,
        run_options=run_options, progress=progress,
    )  # fmt: skip


def _known(source: Path, identity: Identity) -> tuple[str, ...]:
    known = predictions(identity.architecture or "", identity.variant_candidates)
    if not known:
        raise UnknownModel("yaml.no_config", path=source)
    return known


def _prediction(
    source: Path, identity: Identity, wanted: str | None
) -> tuple[str, Certainty, Note]:
    """Return what the model predicts, how sure that is, and how it is known."""
    known = _known(source, identity)
    if wanted is not None:
        return wanted, "certain", Note("yaml.why_told", warning=False)
    if identity.prediction is None:
        raise Incomplete("yaml.no_prediction", path=source, words=", ".join(known))
    said = identity.prediction
    return said.type, said.certainty, said.why


def _text(document: object) -> str:
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, default_flow_style=None)


class _Plain(yaml.SafeDumper):
    """A writer of plain YAML, without anchors, which our own reader refuses."""

    def ignore_aliases(self, data: object) -> bool:
        """Write every value out."""
        del data
        return True


def _says_the_same(target: Path, source: Path, wanted: Mapping[str, Any]) -> bool:
    """Whether a config is there that says what it should.

    Raises:
        OutputExists: there is one that says otherwise.
        FormatError: it is no config.
    """
    if not target.exists():
        return False
    other = differences(read_yaml(target), wanted)
    if not other:
        return True
    raise OutputExists("yaml.differs", path=target, name=source.name, keys=", ".join(other[:_FEW]))
