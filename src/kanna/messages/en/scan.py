"""`kanna scan`: its rules, what they say of a file, and its report."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "Say whether a file is safe, and exactly why.",
    "help": "Say of each FILE whether it is clean, suspicious or dangerous, and exactly why.\n\n"
    "Nothing in a file is ever run. Clean means: read to the last byte, and only what models need "
    "is in it. FILE is a model file, a *.index.json, a model folder or a folder of many models.\n\n"
    "Exit code: 0 all clean, 1 something is dangerous, 3 something is suspicious or could not be "
    "read.",
    "examples": "Examples:\n\n  kanna scan model.ckpt\n\n  kanna scan -r ~/models\n\n"
    "  kanna scan --sarif ~/models > kanna.sarif",
    "option_recursive": "Descend into the folders of a folder, too.",
    "option_sarif": "Print one SARIF document, for code-scanning pipelines.",
    "option_deep": "Compute all checksums of zip files, which reads the weights.",
    "sarif_and_json": (
        "--json and --sarif cannot be used together.",
        "Choose one of them.",
    ),
    "clean": "clean",
    "suspicious": "suspicious",
    "dangerous": "dangerous",
    "in_member": "{member} in {path}",
    "at_byte": "byte {offset:,}",
    "at_position": "opcode at {position:,} of its pickle",
    "more_threats": "and {count:,} more; --json has them all",
    "globals": "names {count:,} globals:",
    "global_called": "{name} (called)",
    "global_named": "{name}",
    "accounted": "{accounted:,} of {size:,} bytes accounted for",
    "summary": "{clean} clean, {suspicious} suspicious, {dangerous} dangerous",
    "no_models_below": "Neither the folder {path} nor any folder in it holds a file that could be a model.",
    "no_models": "The folder {path} holds no file that could be a model; -r looks into its folders, too.",
    "page_title": "Rules of `kanna scan`",
    "page_intro": "A file is clean when it was read to its last byte by the readers that kanna itself uses, and asks "
    "for nothing but what models need. Everything else is suspicious, or dangerous where it names code. A file is as bad "
    "as the worst rule that it breaks. Nothing in it is ever run. Codes never change their meaning.\n\nWhat is damaged, "
    "incomplete or no model at all is suspicious: it could not be judged. Exit code: 0 clean, 1 dangerous, 3 suspicious.",
    "page_chapter_1": "What a pickle asks for",
    "page_chapter_2": "Archives and containers",
    "page_chapter_3": "Content",
    "page_chapter_4": "What lies around a model",
    "is_yaml": "A configuration in YAML, not a model.",
    "is_json": "A configuration in JSON, not a model.",
    "is_code": "Program code, not a model.",
    # 1: what a pickle asks for
    "ks101_title": "Calls code that no model needs",
    "ks101_why": "A program that unpickles the file runs this call, with the rights of its user. Which "
    "call it is does not matter: everything that is not known to be harmless is dangerous here.",
    "ks101_is": "calls {name}",
    "ks102_title": "Names code that no model needs",
    "ks102_why": "Loading the file imports the module that is named, which runs the code in it. What "
    "is named can also be called later by the program that loads the file.",
    "ks102_is": "names {name}",
    "ks103_title": "Needs a part of another program",
    "ks103_why": "Honest training programs write such files, and only they can load them. Loading "
    "imports that program; the weights alone, as safetensors, need none of it.",
    "ks103_is": "needs {name}, which is part of a known program",
    "ks104_title": "Computes the name of what it calls",
    "ks104_why": "The name is put together while the file is loaded, so that no scanner reads it. "
    "Nothing that saves models does that.",
    "ks104_is": "computes the name of a function (opcode at {position:,})",
    "ks105_title": "Plants attributes that Python calls by itself",
    "ks105_why": "Attributes such as __setstate__ turn harmless objects and classes into ones that run "
    "code. No model sets them.",
    "ks105_class": "changes {name} itself, for the whole program",
    "ks105_object": "plants a special attribute on an object of {name}",
    "ks106_title": "Uses something harmless in an unusual way",
    "ks106_why": "The name is one that models use, but not like this. It may be a trick that is not "
    "known yet, or may fill the memory of the program that loads it.",
    "ks106_is": "uses {name} as no model does",
    "ks107_title": "Uses an instruction that no model needs",
    "ks107_why": "Extension codes, text references and outside buffers mean what the loading program "
    "says they mean, so nobody can tell from the file what they do.",
    "ks107_is": "an instruction that no model needs (opcode at {position:,})",
    "ks108_title": "The pickle breaks a rule",
    "ks108_why": "Programs that read pickles less strictly go on where others stop, so that scanner and "
    "loader see different things. It may also just be damaged.",
    "ks108_is": "opcode at {position:,}: {reason}",
    "ks109_title": "Code hidden behind a break",
    "ks109_why": "What follows the place where the pickle breaks still names code. Files are built like "
    "this so that scanners stop before they see it.",
    "ks109_is": "hides {name} behind a break",
    "ks110_title": "Data behind the end of the pickle",
    "ks110_why": "Loaders stop at the end and never see what follows; other programs may read on. "
    "torch writes nothing there.",
    "ks110_is": "{count:,} bytes behind the end of the pickle",
    "ks111_title": "A pickle inside a pickle",
    "ks111_why": "Bytes in the pickle are a pickle themselves, which only a loader inside the loader "
    "would read. No model needs that.",
    "ks111_is": "{count:,} bytes in it are a pickle themselves",
    "ks112_title": "Refers to something that is no storage",
    "ks112_why": "In a checkpoint of torch, references outside the pickle are blocks of numbers and "
    "nothing else. What others mean depends on the program that loads them.",
    "ks112_is": "refers to something that is no block of numbers",
    # 2: containers
    "ks201_title": "Readers disagree about what is inside",
    "ks201_why": "The archive says one thing in one place and another in the next, or holds a name "
    "twice. A scanner then reads one file and the loader another.",
    "ks202_title": "A checksum is wrong",
    "ks202_why": "torch ignores checksums; other programs refuse such members and so do not look into "
    "them. The file is damaged or was changed.",
    "ks202_is": "the checksum of {member} is wrong",
    "ks203_title": "Bytes that belong to nothing",
    "ks203_why": "No part of the file explains them. They can hide data, code or a second file from "
    "programs that read the first one.",
    "ks203_is": "{count:,} bytes at byte {offset:,} belong to nothing",
    "ks203_remarks": "{count:,} bytes are comments of members, which nobody reads",
    "ks203_alignment": "an alignment of {count:,} bytes leaves room for other things",
    "ks204_title": "A file in the archive that is no part of a checkpoint",
    "ks204_why": "torch neither writes nor reads it. It can be a harmless rest of re-packing, or "
    "something that waits for another program.",
    "ks204_is": "holds {member}, which is no part of a checkpoint",
    "ks205_title": "A pickle where none belongs",
    "ks205_why": "Scanners that go by names pass over it, and a program that is pointed to it runs it. "
    "A checkpoint has one pickle.",
    "ks205_is": "{member} is a pickle, too",
    "ks206_title": "A name that leads out of the archive",
    "ks206_why": "A program that unpacks the archive by its names writes outside of the folder. kanna "
    "never writes by such names.",
    "ks206_is": "the name {member} leads out of the archive",
    "ks207_title": "A pickle under the name of a safe format",
    "ks207_why": "People choose .safetensors and .gguf because such files cannot run code. Programs "
    "that look at the content load this one as a pickle all the same.",
    "ks207_is": "the name ends in {suffix}, but the content is a pickle",
    "ks208_title": "TorchScript: contains code",
    "ks208_why": "The file is a program with weights. Loading it runs that program in torch's own "
    "language, which can do more than compute.",
    "ks209_title": "Two formats in one file",
    "ks209_why": "Depending on where a program begins to read, it finds another file. Scanner and "
    "loader may choose differently.",
    "ks209_zip": "the end of the file is a zip archive",
    "ks209_pickle": "the same bytes are a pickle, too",
    # 3: content
    "ks301_title": "No model file",
    "ks301_why": "Nothing in it could be judged as a model, so it is not called clean.",
    "ks302_title": "Not all of it is there",
    "ks302_why": "The rest cannot be judged. Downloads that stopped early and pointers of git-lfs are "
    "the usual reasons.",
    "ks302_about": "the download or copy stopped at about {percent} %: {have} of {need} are there",
    "ks303_title": "Breaks the rules of its format",
    "ks303_why": "Programs differ in what they make of such a file. It is damaged, written by a faulty "
    "program, or made to be misread.",
    "ks304_title": "Could not be read",
    "ks304_why": "What was not read cannot be called clean.",
    "ks305_title": "Larger or deeper than any model",
    "ks305_why": "Loading it can fill memory or disk, or never end. No model needs that.",
    "ks305_pickle": "the pickle takes {size} unpacked",
    # 4: what lies around
    "ks401_title": "YAML that makes Python objects",
    "ks401_why": "The tag tells a careless YAML reader to call Python code. Configurations of models "
    "have no use for it.",
    "ks401_is": "the tag {tag} makes a Python object",
    "ks402_title": "YAML that is not plain data",
    "ks402_why": "It uses what configurations do not need, or cannot be read at all. Aliases can grow "
    "without end when they are followed.",
    "ks403_title": "A configuration that names unknown code",
    "ks403_why": "Programs import and call what stands behind `target`. This one is none of the classes "
    "of Stable Diffusion and its relatives.",
    "ks403_is": "target: {name} is not known",
    "ks404_title": "Program code among the weights",
    "ks404_why": "Some loaders run code that lies in a model folder. Read it before you allow that.",
    "ks404_is": "{name} is program code",
    "ks405_title": "Asks for code of its own",
    "ks405_why": "The configuration sends the loader to code that is not part of the usual libraries. "
    "It only runs where remote or custom code is allowed.",
    "ks405_is": "asks for code from {name}",
    "ks405_hook": "has the setting {name}, which loads code of its own",
    "ks406_title": "A name that leads out of the folder",
    "ks406_why": "The index names a file outside of its folder, such as ../x. A careless program would "
    "read whatever lies there.",
}
