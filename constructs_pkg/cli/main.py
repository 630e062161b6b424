"""The entry of ``lambda-code-signing``: finds the command, and turns every error of ours into a message and a code.

Exit codes: 0 yes, 1 no, 2 usage or bad input, 3 no verdict, 130 interrupted. Standard output carries the answer only.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click
from click.shell_completion import CompletionItem, shell_complete

from constructs_pkg._version import __version__
from constructs_pkg.cli.output import EXIT_NO_VERDICT, tell
from constructs_pkg.errors import AwsError, LambdaCodeSigningError

__all__ = ["COMMANDS", "main"]

_PROGRAM = "lambda-code-signing"
_COMPLETE_VARIABLE = "_LAMBDA_CODE_SIGNING_COMPLETE"
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130
_EXIT_BROKEN_PIPE = 141
"""What shells report of a program that SIGPIPE ended: 128 + 13."""


class LazyCommand(NamedTuple):
    """A command that is not loaded yet.

    Attributes:
        module: Where it lives; the module's attribute ``command`` is the click command.
        help: One line for the list of commands, so that the list loads nothing.
    """

    module: str
    help: str


COMMANDS: dict[str, LazyCommand] = {
    "verify": LazyCommand(
        "constructs_pkg.cli.verify", "Say whether Lambda would accept a signed archive, and why not."
    ),
    "check": LazyCommand("constructs_pkg.cli.check", "Say whether templates or a cdk.out would ship unsigned code."),
    "inspect": LazyCommand("constructs_pkg.cli.inspect", "Show everything that an archive's signature says."),
    "explain": LazyCommand("constructs_pkg.cli.explain", "Say what an error of AWS about code signing means."),
    "package": LazyCommand("constructs_pkg.cli.package", "Turn a directory into a ZIP, the same bytes anywhere."),
    "sign": LazyCommand("constructs_pkg.cli.sign", "Sign archives."),
    "attest": LazyCommand("constructs_pkg.cli.attest", "Write down what is known of a signed archive in S3."),
    "layer": LazyCommand(
        "constructs_pkg.cli.layer", "Say who signed a layer and whether it is allowed; sign copies of unsigned ones."
    ),
    "trust": LazyCommand("constructs_pkg.cli.trust", "Pin and show the roots that signatures are judged by."),
    "authority": LazyCommand("constructs_pkg.cli.authority", "Run a throwaway AWS Signer. UNSAFE FOR PRODUCTION."),
    "local-aws": LazyCommand(
        "constructs_pkg.cli.local_aws", "Run AWS on this machine, with signatures that are really checked."
    ),
    "guardrail": LazyCommand("constructs_pkg.cli.guardrail", "Print the deny-by-default IAM policies for developers."),
    "promote": LazyCommand("constructs_pkg.cli.promote", "Say what would break if a wave enforced."),
    "drift": LazyCommand("constructs_pkg.cli.drift", "Say what in the member accounts is not as it should be."),
    "rollout": LazyCommand("constructs_pkg.cli.rollout", "Show how far the waves are: instances, drift, operations."),
    "audit": LazyCommand("constructs_pkg.cli.audit", "Write down whose code runs in all accounts and Regions."),
    "blast-radius": LazyCommand("constructs_pkg.cli.blast_radius", "Say what a revocation would reach, everywhere."),
    "revoke": LazyCommand("constructs_pkg.cli.revoke", "Revoke a signature or a signing profile. CANNOT BE UNDONE."),
    "rotation": LazyCommand("constructs_pkg.cli.rotation", "Plan the change to a new signing profile, step by step."),
    "organization": LazyCommand(
        "constructs_pkg.cli.organization", "Check organization.toml, keep its ledger of names."
    ),
}
"""All commands in the order of the help."""


class _LazyGroup(click.Group):
    """A group that imports the module of a command only to run it, not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click passes it)
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click passes it)
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        command = importlib.import_module(lazy.module).command
        assert isinstance(command, click.Command), f"{lazy.module}.command is a click command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click passes it)
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        found = [CompletionItem(name, help=lazy.help) for name, lazy in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # click looks for a near name among the commands that are loaded, which here are none
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)


_EPILOG = """\b
Examples:
  lambda-code-signing organization check organization.toml
  lambda-code-signing verify function.zip --policy policy.json
  lambda-code-signing explain CodeVerificationFailedException

\b
Completion for bash (zsh and fish likewise), in ~/.bashrc:
  eval "$(_LAMBDA_CODE_SIGNING_COMPLETE=bash_source lambda-code-signing)"

Exit codes: 0 yes, 1 no, 2 usage or bad input, 3 no verdict could be reached, 130 interrupted.
"""


@click.group(cls=_LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=_PROGRAM)
def _program() -> None:
    """Run AWS Lambda code signing across an organization.

    Every command explains itself: lambda-code-signing COMMAND --help
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The words after the program's name; those of the process where None.

    Returns:
        The exit code. Nothing that a user can do wrong leaves as a traceback; a mistake of ours does.
    """
    _open_closed_streams()
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        # What a pipe does not take shows here at the latest, not when the interpreter ends.
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted", err=True)
        return _EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return _EXIT_USAGE
    except AwsError as error:
        tell(f"Error: {error}")
        return EXIT_NO_VERDICT
    except LambdaCodeSigningError as error:
        tell(f"Error: {error}")
        return _EXIT_USAGE
    except BrokenPipeError:
        # The reader has gone, as with 'head'. The interpreter flushes once more when it ends: give it a sink.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    except OSError as error:
        if error.filename is not None:  # files are told about where they are used: this one was forgotten
            raise
        tell(f"Error: the answer cannot be written: {error.strerror}. What is there may be cut off")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO_VERDICT
    return code


def _open_closed_streams() -> None:
    """Open what the caller closed (``>&-``): Python has None there, and the next file that opens gets its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 (until the end)


def _run(words: list[str]) -> int:
    """Do what ``click.Command.main`` does, which turns a broken pipe into the exit code 1: our word for 'no'."""
    instruction = os.environ.get(_COMPLETE_VARIABLE)
    if instruction:
        return shell_complete(_program, {}, _PROGRAM, _COMPLETE_VARIABLE, instruction)
    try:
        with _program.make_context(_PROGRAM, words) as context:
            code: object = _program.invoke(context)
    except click.exceptions.Exit as end:  # --help and --version
        return end.exit_code
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
