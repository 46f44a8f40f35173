"""What lies around weights: configurations in YAML and JSON, and program code."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kanna.errors import FormatError, KannaError
from kanna.formats import strict_json
from kanna.formats.strict_yaml import parse_yaml, read_text, tags
from kanna.model import Note
from kanna.scan.values import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kanna.disk import InputFile
    from kanna.scan.report import Report

YAML: Final = (".yaml", ".yml")
CODE: Final = (
    ".py", ".pyc", ".pyd", ".pyw", ".so", ".dll", ".dylib", ".exe", ".bat", ".cmd", ".ps1", ".sh",
    ".vbs", ".lnk", ".scr", ".msi", ".jar",
)  # fmt: skip
# Under these packages, ``target:`` names a class that the programs which read the file know.
# Sources: the configurations of CompVis, Stability AI, ControlNet, ComfyUI and A1111.
_TARGETS: Final = re.compile(
    r"(?:ldm|sgm|cldm|comfy|modules|extensions-builtin|scripts|imwatermark|gligen|lvdm|dwpose)"
    r"(?:\.[A-Za-z_]\w*)*\.[A-Z]\w*"
)
_KNOWN_TARGETS: Final = frozenset({
    "torch.nn.Identity", "torch.nn.Module", "torch.optim.AdamW", "torch.optim.Adam",
    "torch.optim.lr_scheduler.LambdaLR", "main.DataModuleFromConfig",
    "pytorch_lightning.loggers.WandbLogger", "pytorch_lightning.callbacks.ModelCheckpoint",
})  # fmt: skip
_PYTHON_TAG: Final = "tag:yaml.org,2002:python/"
_JSON_LIMIT: Final = 32_000_000
_INDEX: Final = "model_index.json"
# What model_index.json of diffusers may name: the libraries, and its own folders of pipelines.
_LIBRARIES: Final = frozenset({
    "diffusers", "transformers", "flax", "onnxruntime", "optimum", "tokenizers", "peft",
    "k_diffusion",
    "stable_diffusion", "stable_diffusion_xl", "stable_diffusion_3", "stable_diffusion_safe",
    "semantic_stable_diffusion", "paint_by_example", "alt_diffusion", "latent_diffusion",
    "versatile_diffusion", "deepfloyd_if", "kandinsky", "kandinsky2_2", "kandinsky3", "unclip",
    "unidiffuser", "wuerstchen", "stable_cascade", "audioldm", "audioldm2", "musicldm", "shap_e",
    "blip_diffusion", "controlnet", "controlnet_xs", "flux", "pixart_alpha", "aura_flow", "lumina",
    "lumina2", "sana", "hunyuandit", "cogvideo", "mochi", "ltx", "wan", "qwenimage",
    "hidream_image",
    "kolors", "amused", "ledits_pp", "pag", "text_to_video_synthesis", "stable_video_diffusion",
    "animatediff", "i2vgen_xl", "stable_audio", "latte", "allegro", "cosmos", "omnigen", "chroma",
    "marigold", "consistency_models", "dit", "ddpm", "ddim", "score_sde_ve", "pndm", "visualcloze",
})  # fmt: skip
_HOOKS: Final = ("auto_map", "custom_pipeline", "custom_pipelines", "trust_remote_code")
_MAX_WALK: Final = 100_000


def scan_sidecars(report: Report, path: Path) -> None:
    """Scan the configurations of the same name beside a model, which programs load with it."""
    from kanna.disk import InputFile

    for suffix in YAML:
        beside = path.with_suffix(suffix)
        if beside != path and os.path.lexists(beside):
            try:
                file = InputFile(beside)
            except KannaError as error:
                report.add_error(error, Place(path=beside))
                continue
            try:
                scan_yaml(report, file)
            finally:
                file.close()


def scan_yaml(report: Report, file: InputFile) -> None:
    """Add what is wrong with a YAML file to `report`."""
    place = Place(path=file.path)
    try:
        text = read_text(file)
        for tag in tags(text):
            if tag.startswith(_PYTHON_TAG):
                report.add("KS401", Note("scan.ks401_is", {"tag": tag}), place, name=tag)
        config = parse_yaml(text, file.path)
    except FormatError as error:
        told = str(error.values.get("tag")).startswith(_PYTHON_TAG)
        if not told:
            report.add("KS402", Note(error.key, error.values), place)
        return
    for target in _targets(config):
        if not _TARGETS.fullmatch(target) and target not in _KNOWN_TARGETS:
            report.add("KS403", Note("scan.ks403_is", {"name": target}), place, name=target)


def _targets(config: object) -> Iterator[str]:
    for key, value in _walk(config):
        if key in ("target", "_target_") and type(value) is str:
            yield value


def _walk(root: object) -> Iterator[tuple[object, object]]:
    """Yield the keys and values of all mappings inside `root`."""
    waiting = [root]
    for _ in range(_MAX_WALK):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node, dict):
            yield from node.items()
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def scan_json(report: Report, file: InputFile) -> None:
    """Add what a configuration in JSON asks for beyond what the usual libraries have."""
    place = Place(path=file.path)
    try:
        config = strict_json.load(file, limit=_JSON_LIMIT)
    except KannaError as error:
        report.add_error(error, place)
        return
    report.accounted += file.size
    for hook in _hooks(config):
        report.add("KS405", Note("scan.ks405_hook", {"name": hook}), place, name=hook)
    if file.path.name == _INDEX:
        _judge_index(report, config, place)


def _hooks(config: object) -> Iterator[str]:
    for key, value in _walk(config):
        if key in _HOOKS and value:
            yield str(key)


def _judge_index(report: Report, config: Mapping[str, object], place: Place) -> None:
    for component, value in config.items():
        if component == "_class_name" and type(value) is not str:
            report.add("KS405", Note("scan.ks405_is", {"name": str(value)}), place, name=component)
        if type(value) is not list or len(value) != 2 or component.startswith("_"):
            continue
        library = value[0]
        if library is not None and library not in _LIBRARIES:
            note = Note("scan.ks405_is", {"name": str(library)})
            report.add("KS405", note, place, name=str(library))


def scan_code(report: Report, file: InputFile) -> None:
    """Note that a file is program code."""
    report.accounted += file.size
    report.add("KS404", Note("scan.ks404_is", {"name": file.path.name}), Place(path=file.path))
