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
# Sources: the configurations in the repositories of CompVis and Stability AI (ldm, sgm), ControlNet
# (cldm), AUTOMATIC1111's web UI (modules), taming-transformers and VideoCrafter (lvdm).
_TARGETS: Final = re.compile(r"(?:ldm|sgm|cldm|modules|taming|lvdm)(?:\.[A-Za-z_]\w*)*\.[A-Z]\w*")
_KNOWN_TARGETS: Final = frozenset({
    "torch.nn.Identity", "torch.nn.Module", "torch.optim.AdamW", "torch.optim.Adam",
    "torch.optim.lr_scheduler.LambdaLR", "main.DataModuleFromConfig", "main.ImageLogger",
    "pytorch_lightning.loggers.WandbLogger", "pytorch_lightning.callbacks.ModelCheckpoint",
})  # fmt: skip
_PYTHON_TAG: Final = "tag:yaml.org,2002:python/"
_JSON_LIMIT: Final = 32_000_000
_INDEX: Final = "model_index.json"
# What model_index.json may name: libraries that export such folders, and the folders of pipelines
# of diffusers, whose classes it names by the folder alone.
# Source: the folders in diffusers/pipelines and its deprecated/, diffusers 0.42.
_LIBRARIES: Final = frozenset({
    "diffusers", "transformers", "flax", "k_diffusion", "onnxruntime", "onnxruntime.training",
    "optimum", "peft", "tokenizers",
    "ace_step", "allegro", "alt_diffusion", "amused", "animatediff", "anyflow", "audio_diffusion",
    "audioldm", "audioldm2", "aura_flow", "blip_diffusion", "bria", "bria_fibo", "bria_fibo2",
    "chroma", "chronoedit", "cogvideo", "cogview3", "cogview4", "consisid", "consistency_models",
    "controlnet", "controlnet_hunyuandit", "controlnet_sd3", "controlnet_xs", "cosmos",
    "dance_diffusion", "ddim", "ddpm", "deepfloyd_if", "diffusion_gemma", "dit", "dreamlite",
    "easyanimate", "ernie_image", "flux", "flux2", "glm_image", "helios", "hidream_image",
    "hunyuan_image", "hunyuan_video", "hunyuan_video1_5", "hunyuandit", "i2vgen_xl", "ideogram4",
    "joyimage", "kandinsky", "kandinsky2_2", "kandinsky3", "kandinsky5", "kandinsky6", "kolors",
    "krea2", "latent_consistency_models", "latent_diffusion", "latent_diffusion_uncond", "latte",
    "ledits_pp", "llada2", "longcat_audio_dit", "longcat_image", "ltx", "ltx2", "lucy", "lumina",
    "lumina2", "marigold", "mochi", "motif_video", "musicldm", "nucleusmoe_image", "omnigen",
    "ovis_image", "pag", "paint_by_example", "pia", "pixart_alpha", "pndm", "prx", "qwenimage",
    "qwenimage21", "repaint", "rfd4_proteina", "sana", "sana_video", "sana_wm", "score_sde_ve",
    "semantic_stable_diffusion", "shap_e", "skyreels_v2", "spectrogram_diffusion", "stable_audio",
    "stable_audio_3", "stable_cascade", "stable_diffusion", "stable_diffusion_3",
    "stable_diffusion_attend_and_excite", "stable_diffusion_diffedit", "stable_diffusion_gligen",
    "stable_diffusion_ldm3d", "stable_diffusion_panorama", "stable_diffusion_safe",
    "stable_diffusion_sag", "stable_diffusion_variants", "stable_diffusion_xl",
    "stable_video_diffusion", "stochastic_karras_ve", "t2i_adapter", "text_to_video_synthesis",
    "unclip", "unidiffuser", "versatile_diffusion", "visualcloze", "vq_diffusion", "wan",
    "wuerstchen", "z_image",
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
