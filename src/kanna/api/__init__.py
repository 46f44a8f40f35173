"""One typed function per verb: what the command line calls, and what a script should.

Nothing here prints. Every function raises a `kanna.errors.KannaError`, and leaves no output behind
when it fails. Each is imported when it is first used: `inspect` does not pay for `convert`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kanna.api.checking import Checked, check
    from kanna.api.configuring import Configuration, configure, mark
    from kanna.api.differing import Diff, diff
    from kanna.api.fixing import Fixed, fix
    from kanna.api.hashing import HashedFile, HashOptions, PartMatch, hash_files
    from kanna.api.infotext_changing import infotext_batch
    from kanna.api.infotext_documents import generation_document, infotext_document, text_document
    from kanna.api.infotext_editing import InfotextEdit, edit_infotext, read_edits
    from kanna.api.infotext_expanding import Expansion, expand_infotext
    from kanna.api.infotext_exporting import (
        EXPORT_FORMS,
        InfotextTable,
        export_form,
        export_infotext,
        export_suffix,
    )
    from kanna.api.infotext_extending import infotext_extender
    from kanna.api.infotext_putting import PictureToWrite, write_infotext, written_pictures
    from kanna.api.infotext_raw import raw_infotext
    from kanna.api.infotext_reading import ENCODINGS, read_infotext
    from kanna.api.infotext_searching import search_infotexts
    from kanna.api.infotext_stripping import strip_infotext
    from kanna.api.infotext_targets import (
        EDITED_SUFFIXES,
        TEXT_SUFFIXES,
        check_apart,
        infotext_outputs,
        infotext_sources,
    )
    from kanna.api.infotext_values import Infotext, InfotextChange, InfotextOptions, InfotextSource
    from kanna.api.knowing import (
        KindPage,
        Page,
        PartPage,
        explain,
        families,
        page_document,
    )
    from kanna.api.library_adding import (
        LibraryAdded,
        LibraryContent,
        LibraryLoss,
        LibraryRole,
        LibraryRoot,
        library_add,
        library_forget,
        library_roots,
    )
    from kanna.api.library_asking import (
        FindOptions,
        library_count,
        library_dupes,
        library_find,
        library_lineage,
        library_missing,
        lineage_drawing,
    )
    from kanna.api.library_exporting import LIBRARY_FORMS, library_export, write_export
    from kanna.api.library_filing import (
        Executed,
        FileSet,
        FilingPlan,
        Outcome,
        PastFiling,
        Settled,
        Step,
        carry_out_filing,
        past_filings,
        plan_filing,
        plan_unfiling,
        settle_filings,
    )
    from kanna.api.library_knowing import (
        KnownModel,
        LibraryPart,
        Tagged,
        library_note,
        library_show,
        library_tag,
    )
    from kanna.api.library_scan_values import (
        LibraryScanned,
        LibraryScanOptions,
        LibraryScanProgress,
    )
    from kanna.api.library_scanning import library_scan
    from kanna.api.looking_up import LookOptions
    from kanna.api.lookup import import_hashes, names_models, which
    from kanna.api.lora_baking import lora_bake, lora_recipe
    from kanna.api.lora_converting import LoraConversion, lora_convert
    from kanna.api.lora_making import (
        LoraExtraction,
        LoraRemaking,
        lora_extract,
        lora_merge,
        lora_resize,
        lora_words,
    )
    from kanna.api.making import Conversion, check_names, convert, make_demo, words
    from kanna.api.merge_request import merge_recipe
    from kanna.api.merging import Merging, merge, merge_together
    from kanna.api.meta import (
        COMPANIONS,
        Edited,
        EditOptions,
        FileMetadata,
        read_fields,
        read_metadata,
        set_metadata,
        strip_metadata,
        write_thumbnail,
    )
    from kanna.api.method_list import MethodList, merge_methods, method_document
    from kanna.api.parting import (
        Joining,
        Splitting,
        join,
        part_programs,
        split,
        split_to_diffusers,
    )
    from kanna.api.picture_models import (
        NamedModel,
        PictureModels,
        models_of_picture,
        resolve_models,
    )
    from kanna.api.quantizing import Quantization, quantize, quantize_words
    from kanna.api.reading import Inspection, inspect
    from kanna.api.recipe_sources import SourceFile, Watching, find_sources, paths_of
    from kanna.api.recipes import FoundRecipe, read_recipe, recipe_of
    from kanna.api.settings import CheckSettings, check_settings
    from kanna.api.sweeping import SweepOptions, Swept, sweep, sweep_target
    from kanna.api.taking_in import Handled, Originals, WatchOptions
    from kanna.api.targets import hash_targets
    from kanna.api.watching import watch_inbox, watch_rules, watch_words
    from kanna.catalog.asking import SORTS, FoundFile
    from kanna.catalog.image_search import FoundImage, ImageQuestion
    from kanna.catalog.lineage import Lineage, LineageEdge, LineageNode
    from kanna.catalog.matching import Match
    from kanna.catalog.needs import NeededModel, NeededPart, Needs
    from kanna.catalog.same import Dupes, SameFiles
    from kanna.catalog.same_parts import SharedPart
    from kanna.disk import as_path
    from kanna.engine import Progress, Result, RunOptions
    from kanna.hashing.digests import Digests
    from kanna.hashing.known import Known
    from kanna.hashing.resolving import Answer, Hit
    from kanna.lora.retained import Retained
    from kanna.merging.method import Method
    from kanna.ops.convert import ConvertOptions
    from kanna.ops.diff import DiffReport
    from kanna.ops.diff import Section as DiffSection
    from kanna.ops.diff_rows import Row as DiffRow
    from kanna.ops.diffusers_folder import FolderOptions
    from kanna.ops.error_picture import cosine_text, error_svg, largest_text, percent
    from kanna.ops.error_report import ErrorReport, ErrorRow
    from kanna.ops.join import JoinOptions
    from kanna.ops.lora_extract_options import ExtractOptions
    from kanna.ops.lora_extract_report import ExtractReport
    from kanna.ops.lora_merge import LoraMergeOptions, LoraMergeReport
    from kanna.ops.lora_resize import ResizeOptions, ResizeReport
    from kanna.ops.quantize import QuantizeOptions
    from kanna.ops.shards import parse_size
    from kanna.ops.split import SplitOptions
    from kanna.pictures import PICTURE_SUFFIXES
    from kanna.scan import SCAN_RULES, GlobalVerdict, Place, Scan, Threat, scan, scan_targets
    from kanna.scan.rules import Rule as ScanRule


__all__ = [
    "COMPANIONS",
    "EDITED_SUFFIXES",
    "ENCODINGS",
    "EXPORT_FORMS",
    "LIBRARY_FORMS",
    "PICTURE_SUFFIXES",
    "SCAN_RULES",
    "SORTS",
    "TEXT_SUFFIXES",
    "Answer",
    "CheckSettings",
    "Checked",
    "Configuration",
    "Conversion",
    "ConvertOptions",
    "Diff",
    "DiffReport",
    "DiffRow",
    "DiffSection",
    "Digests",
    "Dupes",
    "EditOptions",
    "Edited",
    "ErrorReport",
    "ErrorRow",
    "Executed",
    "Expansion",
    "ExtractOptions",
    "ExtractReport",
    "FileMetadata",
    "FileSet",
    "FilingPlan",
    "FindOptions",
    "Fixed",
    "FolderOptions",
    "FoundFile",
    "FoundImage",
    "FoundRecipe",
    "GlobalVerdict",
    "Handled",
    "HashOptions",
    "HashedFile",
    "Hit",
    "ImageQuestion",
    "Infotext",
    "InfotextChange",
    "InfotextEdit",
    "InfotextOptions",
    "InfotextSource",
    "InfotextTable",
    "Inspection",
    "JoinOptions",
    "Joining",
    "KindPage",
    "Known",
    "KnownModel",
    "LibraryAdded",
    "LibraryContent",
    "LibraryLoss",
    "LibraryPart",
    "LibraryRole",
    "LibraryRoot",
    "LibraryScanOptions",
    "LibraryScanProgress",
    "LibraryScanned",
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "LookOptions",
    "LoraConversion",
    "LoraExtraction",
    "LoraMergeOptions",
    "LoraMergeReport",
    "LoraRemaking",
    "Match",
    "Merging",
    "Method",
    "MethodList",
    "NamedModel",
    "NeededModel",
    "NeededPart",
    "Needs",
    "Originals",
    "Outcome",
    "Page",
    "PartMatch",
    "PartPage",
    "PastFiling",
    "PictureModels",
    "PictureToWrite",
    "Place",
    "Progress",
    "Quantization",
    "QuantizeOptions",
    "ResizeOptions",
    "ResizeReport",
    "Result",
    "Retained",
    "RunOptions",
    "SameFiles",
    "Scan",
    "ScanRule",
    "Settled",
    "SharedPart",
    "SourceFile",
    "SplitOptions",
    "Splitting",
    "Step",
    "SweepOptions",
    "Swept",
    "Tagged",
    "Threat",
    "WatchOptions",
    "Watching",
    "as_path",
    "carry_out_filing",
    "check",
    "check_apart",
    "check_names",
    "check_settings",
    "configure",
    "convert",
    "cosine_text",
    "diff",
    "edit_infotext",
    "error_svg",
    "expand_infotext",
    "explain",
    "export_form",
    "export_infotext",
    "export_suffix",
    "families",
    "find_sources",
    "fix",
    "generation_document",
    "hash_files",
    "hash_targets",
    "import_hashes",
    "infotext_batch",
    "infotext_document",
    "infotext_extender",
    "infotext_outputs",
    "infotext_sources",
    "inspect",
    "join",
    "largest_text",
    "library_add",
    "library_count",
    "library_dupes",
    "library_export",
    "library_find",
    "library_forget",
    "library_lineage",
    "library_missing",
    "library_note",
    "library_roots",
    "library_scan",
    "library_show",
    "library_tag",
    "lineage_drawing",
    "lora_bake",
    "lora_convert",
    "lora_extract",
    "lora_merge",
    "lora_recipe",
    "lora_resize",
    "lora_words",
    "make_demo",
    "mark",
    "merge",
    "merge_methods",
    "merge_recipe",
    "merge_together",
    "method_document",
    "models_of_picture",
    "names_models",
    "page_document",
    "parse_size",
    "part_programs",
    "past_filings",
    "paths_of",
    "percent",
    "picture_models",
    "plan_filing",
    "plan_unfiling",
    "quantize",
    "quantize_words",
    "raw_infotext",
    "read_edits",
    "read_fields",
    "read_infotext",
    "read_metadata",
    "read_recipe",
    "recipe_of",
    "resolve_models",
    "scan",
    "scan_targets",
    "search_infotexts",
    "set_metadata",
    "settle_filings",
    "split",
    "split_to_diffusers",
    "strip_infotext",
    "strip_metadata",
    "sweep",
    "sweep_target",
    "text_document",
    "watch_inbox",
    "watch_rules",
    "watch_words",
    "which",
    "words",
    "write_export",
    "write_infotext",
    "write_thumbnail",
    "written_pictures",
]

_HOMES = {
    "kanna.catalog.same": ("Dupes", "SameFiles"),
    "kanna.catalog.same_parts": ("SharedPart",),
    "kanna.catalog.needs": ("NeededModel", "NeededPart", "Needs"),
    "kanna.catalog.lineage": ("Lineage", "LineageEdge", "LineageNode"),
    "kanna.catalog.asking": ("SORTS", "FoundFile"),
    "kanna.api.library_exporting": ("LIBRARY_FORMS", "library_export", "write_export"),
    "kanna.api.library_asking": (
        "FindOptions",
        "library_count",
        "library_dupes",
        "library_find",
        "library_lineage",
        "library_missing",
        "lineage_drawing",
    ),
    "kanna.api.hashing": ("HashOptions", "HashedFile", "PartMatch", "hash_files"),
    "kanna.api.looking_up": ("LookOptions",),
    "kanna.api.library_adding": (
        "LibraryAdded",
        "LibraryContent",
        "LibraryLoss",
        "LibraryRole",
        "LibraryRoot",
        "library_add",
        "library_forget",
        "library_roots",
    ),
    "kanna.api.library_knowing": (
        "KnownModel",
        "LibraryPart",
        "Tagged",
        "library_note",
        "library_show",
        "library_tag",
    ),
    "kanna.api.library_scan_values": (
        "LibraryScanOptions",
        "LibraryScanProgress",
        "LibraryScanned",
    ),
    "kanna.api.library_scanning": ("library_scan",),
    "kanna.api.library_filing": (
        "Executed",
        "FileSet",
        "FilingPlan",
        "Outcome",
        "PastFiling",
        "Settled",
        "Step",
        "carry_out_filing",
        "past_filings",
        "plan_filing",
        "plan_unfiling",
        "settle_filings",
    ),
    "kanna.api.lookup": ("import_hashes", "names_models", "which"),
    "kanna.api.picture_models": (
        "NamedModel",
        "PictureModels",
        "models_of_picture",
        "resolve_models",
    ),
    "kanna.catalog.matching": ("Match",),
    "kanna.api.lora_baking": ("lora_bake", "lora_recipe"),
    "kanna.api.lora_converting": ("LoraConversion", "lora_convert"),
    "kanna.api.lora_making": (
        "LoraExtraction",
        "LoraRemaking",
        "lora_extract",
        "lora_merge",
        "lora_resize",
        "lora_words",
    ),
    "kanna.lora.retained": ("Retained",),
    "kanna.ops.lora_extract_options": ("ExtractOptions",),
    "kanna.ops.lora_extract_report": ("ExtractReport",),
    "kanna.ops.lora_merge": ("LoraMergeOptions", "LoraMergeReport"),
    "kanna.ops.lora_resize": ("ResizeOptions", "ResizeReport"),
    "kanna.hashing.digests": ("Digests",),
    "kanna.hashing.known": ("Known",),
    "kanna.hashing.resolving": ("Answer", "Hit"),
    "kanna.api.checking": ("Checked", "check"),
    "kanna.api.configuring": ("Configuration", "configure", "mark"),
    "kanna.api.differing": ("Diff", "DiffReport", "DiffRow", "DiffSection", "diff"),
    "kanna.api.fixing": ("Fixed", "fix"),
    "kanna.api.infotext_changing": ("infotext_batch",),
    "kanna.api.infotext_documents": (
        "generation_document",
        "infotext_document",
        "text_document",
    ),
    "kanna.api.infotext_exporting": (
        "EXPORT_FORMS",
        "InfotextTable",
        "export_form",
        "export_infotext",
        "export_suffix",
    ),
    "kanna.api.infotext_putting": (
        "PictureToWrite",
        "write_infotext",
        "written_pictures",
    ),
    "kanna.api.infotext_raw": ("raw_infotext",),
    "kanna.api.infotext_reading": (
        "ENCODINGS",
        "read_infotext",
    ),
    "kanna.api.infotext_stripping": ("strip_infotext",),
    "kanna.api.infotext_targets": (
        "EDITED_SUFFIXES",
        "TEXT_SUFFIXES",
        "check_apart",
        "infotext_outputs",
        "infotext_sources",
    ),
    "kanna.api.infotext_values": (
        "Infotext",
        "InfotextChange",
        "InfotextOptions",
        "InfotextSource",
    ),
    "kanna.pictures": ("PICTURE_SUFFIXES",),
    "kanna.api.infotext_searching": ("search_infotexts",),
    "kanna.api.infotext_extending": ("infotext_extender",),
    "kanna.catalog.image_search": (
        "FoundImage",
        "ImageQuestion",
    ),
    "kanna.api.infotext_editing": (
        "InfotextEdit",
        "edit_infotext",
        "read_edits",
    ),
    "kanna.api.infotext_expanding": (
        "Expansion",
        "expand_infotext",
    ),
    "kanna.api.knowing": (
        "KindPage",
        "Page",
        "PartPage",
        "ScanRule",
        "explain",
        "families",
        "page_document",
    ),
    "kanna.api.method_list": ("MethodList", "merge_methods", "method_document"),
    "kanna.api.making": ("Conversion", "check_names", "convert", "make_demo", "words"),
    "kanna.api.quantizing": ("Quantization", "quantize", "quantize_words"),
    "kanna.api.merge_request": ("merge_recipe",),
    "kanna.api.merging": ("Merging", "merge", "merge_together"),
    "kanna.api.meta": (
        "COMPANIONS",
        "EditOptions",
        "Edited",
        "FileMetadata",
        "read_fields",
        "read_metadata",
        "set_metadata",
        "strip_metadata",
        "write_thumbnail",
    ),
    "kanna.api.parting": (
        "Joining",
        "Splitting",
        "join",
        "part_programs",
        "split",
        "split_to_diffusers",
    ),
    "kanna.api.reading": ("Inspection", "inspect"),
    "kanna.api.recipe_sources": ("SourceFile", "Watching", "find_sources", "paths_of"),
    "kanna.api.recipes": ("FoundRecipe", "read_recipe", "recipe_of"),
    "kanna.api.sweeping": ("SweepOptions", "Swept", "sweep", "sweep_target"),
    "kanna.api.settings": ("CheckSettings", "check_settings"),
    "kanna.api.targets": ("hash_targets",),
    "kanna.api.taking_in": ("Handled", "Originals", "WatchOptions"),
    "kanna.api.watching": ("watch_inbox", "watch_rules", "watch_words"),
    "kanna.disk": ("as_path",),
    "kanna.engine": ("Progress", "Result", "RunOptions"),
    "kanna.merging.method": ("Method",),
    "kanna.ops.convert": ("ConvertOptions",),
    "kanna.ops.diffusers_folder": ("FolderOptions",),
    "kanna.ops.join": ("JoinOptions",),
    "kanna.ops.shards": ("parse_size",),
    "kanna.ops.split": ("SplitOptions",),
    "kanna.ops.quantize": ("QuantizeOptions",),
    "kanna.ops.error_picture": ("cosine_text", "error_svg", "largest_text", "percent"),
    "kanna.ops.error_report": ("ErrorReport", "ErrorRow"),
    "kanna.scan": (
        "SCAN_RULES",
        "GlobalVerdict",
        "Place",
        "Scan",
        "Threat",
        "scan",
        "scan_targets",
    ),
}


def __getattr__(name: str) -> object:
    """Import what is asked for from its home."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(name)
