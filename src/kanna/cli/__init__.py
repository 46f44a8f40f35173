"""The command line: a thin door onto `kanna.api`, one module per verb.

`run` is the whole of it: choose the language, find the verb, call it, turn every error into two
sentences and an exit code.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import Final

import click

from kanna import __version__
from kanna.cli.options import Spoken, Verb, language
from kanna.cli.output import print_error
from kanna.errors import Interrupted, KannaError, UsageError
from kanna.messages import say, set_language

# verb -> module and attribute, imported when the verb is used
VERBS: Final = {
    "inspect": "kanna.cli.inspect:inspect",
    "hash": "kanna.cli.hash:hash_",
    "which": "kanna.cli.which:which",
    "check": "kanna.cli.check:check",
    "scan": "kanna.cli.scan:scan",
    "fix": "kanna.cli.fix:fix",
    "convert": "kanna.cli.convert:convert",
    "split": "kanna.cli.split:split",
    "join": "kanna.cli.join:join",
    "merge": "kanna.cli.merge:merge",
    "lora": "kanna.cli.lora:lora",
    "run": "kanna.cli.run:run",
    "recipe": "kanna.cli.recipe:recipe",
    "quantize": "kanna.cli.quantize:quantize",
    "diff": "kanna.cli.diff:diff",
    "yaml": "kanna.cli.config:configure",
    "meta": "kanna.cli.meta:meta",
    "library": "kanna.cli.library:library",
    "infotext": "kanna.cli.infotext:infotext",
    "watch": "kanna.cli.watch:watch",
    "methods": "kanna.cli.methods:methods",
    "families": "kanna.cli.families:families",
    "explain": "kanna.cli.explain:explain",
    "demo": "kanna.cli.demo:demo",
}


class Verbs(Verb, click.Group):
    """The group of all verbs, each imported only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a user's work."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the verb."""
        del ctx
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what kanna is, and its verbs."""
        self.help = say("cli.help")
        click.Command.format_help_text(self, ctx, formatter)
        verbs = [(verb, say(f"{verb}.short")) for verb in VERBS]
        with formatter.section(say("cli.verbs")):
            formatter.write_dl(verbs)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write where to read on."""
        self.epilog = say("cli.epilog")
        click.Command.format_epilog(self, ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may have been meant.

        Raises:
            UsageError: there is no such verb.
        """
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            if near:
                raise UsageError("cli.unknown_verb_near", verb=args[0], near=near[0])
            raise UsageError("cli.unknown_verb", verb=args[0])
        return super().resolve_command(ctx, args)


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    _make_streams_safe()
    set_language(_wanted_language(argv))
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _terminate)
    try:
        result = _group().main(list(argv), prog_name="kanna", standalone_mode=False)
    except KannaError as error:
        print_error(error, as_json="--json" in argv)
        return error.exit_code
    except click.ClickException as error:
        usage = _usage_error(error)
        print_error(usage, as_json="--json" in argv)
        return usage.exit_code
    except (KeyboardInterrupt, click.Abort):
        print_error(Interrupted("cli.interrupted"), as_json=False)
        return Interrupted.exit_code
    except OSError as error:  # of stdout or stderr: all other files have errors of their own
        failure = KannaError("cli.no_output", reason=error.strerror or error)
        print_error(failure, as_json=False)
        return failure.exit_code
    return result if isinstance(result, int) else 0


def _group() -> Verbs:
    group = Verbs(
        "kanna", invoke_without_command=True, callback=_no_verb,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )  # fmt: skip
    version = click.version_option(
        __version__, message="kanna %(version)s", cls=Spoken, help="cli.option_version"
    )
    return version(language(group))


@click.pass_context
def _no_verb(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _wanted_language(argv: Sequence[str]) -> str | None:
    for before, word in zip(["", *argv], argv, strict=False):
        if word.startswith("--lang="):
            return word.partition("=")[2]
        if before == "--lang":
            return word
    return None


def _make_streams_safe() -> None:
    """Let a terminal that cannot show a character show its escape rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _terminate(number: int, frame: FrameType | None) -> None:
    """Treat a request to end as Ctrl-C, so that a stopped job cleans up after itself."""
    del number, frame
    raise KeyboardInterrupt


def _usage_error(error: click.ClickException) -> UsageError:
    """Return click's complaint as one of ours, which exist in both languages."""
    if isinstance(error, click.NoSuchOption):
        return UsageError("cli.no_such_option", option=error.option_name)
    if isinstance(error, click.MissingParameter):
        param = error.param
        name = param.human_readable_name if param else ""
        if isinstance(param, click.Option):
            name = max(param.opts, key=len)
        return UsageError("cli.missing_parameter", name=name)
    if isinstance(error, click.BadParameter) and error.param is not None:
        names = "/".join(error.param.opts)
        if isinstance(error.param.type, click.Choice):
            words = ", ".join(map(str, error.param.type.choices))
            return UsageError("cli.no_such_word", name=names, words=words)
        return _number_error(error.param.type, names) or UsageError(
            "cli.bad_parameter", name=names, reason=error.message
        )
    return UsageError("cli.usage", reason=error.format_message())


def _number_error(kind: object, names: str) -> UsageError | None:
    """Return what an option of numbers takes, or None if it is no such option."""
    if isinstance(kind, click.IntRange | click.FloatRange):
        key = "cli.too_small" if kind.max is None else "cli.not_in_range"
        return UsageError(key, name=names, least=kind.min, most=kind.max)
    if kind is click.INT:
        return UsageError("cli.no_whole_number", name=names)
    return UsageError("cli.no_number", name=names) if kind is click.FLOAT else None
