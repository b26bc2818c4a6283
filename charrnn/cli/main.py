"""The command `charrnn`, and the only place where errors are printed."""

import contextlib
import errno
import logging
import os
import sys
import time
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from charrnn import __version__
from charrnn.cli.command import Command, Function
from charrnn.cli.completion import VARIABLE, completions
from charrnn.cli.config import config_command
from charrnn.cli.eval import eval_command
from charrnn.cli.explain import explain_command
from charrnn.cli.export import export_command
from charrnn.cli.gradcheck import gradcheck_command
from charrnn.cli.gradflow import gradflow_command
from charrnn.cli.inspect import inspect_command
from charrnn.cli.plot import plot_command
from charrnn.cli.ranks import (
    by_rank,
    follows_rank_0,
    in_one_process,
    reports_errors,
    silence,
)
from charrnn.cli.report import report_command
from charrnn.cli.runs import runs_command
from charrnn.cli.sample import sample_command
from charrnn.cli.sweep import sweep_command
from charrnn.cli.texts import texts_command
from charrnn.cli.train import train_command
from charrnn.cli.usage import explain_usage
from charrnn.cli.verbosity import QuietOption, VerboseOption, choose_verbosity, with_verbosity
from charrnn.errors import CharrnnError
from charrnn.report.messages import say_message
from charrnn.report.verbosity import Verbosity, set_verbosity, verbosity
from charrnn.system.escaping import shortened
from charrnn.system.progress import Progress, unwatched, watch_reading
from charrnn.system.ranks import end_others
from charrnn.system.remote import Remote, watch
from charrnn.system.streams import discard, has_lost_reader

LOG = logging.getLogger(__name__)

app = typer.Typer(
    name="charrnn",
    help="Train, verify and sample character-level recurrent language models.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"token_normalize_func": lambda name: name.replace("_", "-")},
)
COMMANDS: dict[str, Function] = {
    "train": train_command,
    "sweep": sweep_command,
    "sample": sample_command,
    "eval": eval_command,
    "inspect": inspect_command,
    "runs": runs_command,
    "plot": plot_command,
    "config": config_command,
    "explain": explain_command,
    "gradcheck": gradcheck_command,
    "gradflow": gradflow_command,
    "report": report_command,
    "export": export_command,
    "texts": texts_command,
}
for name, command in COMMANDS.items():
    alone = command if name == "train" else in_one_process(name, command)
    app.command(name, cls=Command)(with_verbosity(alone))


def _print_version(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        typer.echo(f"charrnn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, help="Print the version.")
    ] = False,
    quiet: QuietOption = None,
    verbose: VerboseOption = None,
) -> None:
    choose_verbosity(quiet, verbose)


def main() -> None:
    """Runs the command line and exits with its exit code."""
    code = run(sys.argv[1:])
    end_others(code)
    if code == 130:  # do not wait for threads in the middle of a step
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Runs the command line and returns its exit code; errors are printed here."""
    if request := os.environ.get(VARIABLE):
        answer, code = completions(typer.main.get_command(app), request)
        typer.echo(answer)
        return code
    set_verbosity(Verbosity.NORMAL)
    if follows_rank_0():
        silence()
    start = time.perf_counter()
    watch.set(_shown)
    watch_reading.set(_shown_reading)
    try:
        code = app(arguments or ["--help"], prog_name="charrnn", standalone_mode=False)
        if code == 130:  # Typer's code for KeyboardInterrupt
            raise KeyboardInterrupt
        sys.stdout.flush()
        LOG.info(f"took {time.perf_counter() - start:.2f} s")
        return code or 0
    except CharrnnError as error:
        return _fail(str(error), error.hint, error.exit_code, error.label)
    except typer.TyperException as error:
        program = typer.main.get_command(app)
        return _fail(*explain_usage(error, arguments, program), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except (OSError, SystemExit) as error:
        if has_lost_reader(error) or has_lost_reader(error.__context__):
            discard(sys.stdout)  # whose reader has read enough; Typer turns it into SystemExit
            return 0
        if isinstance(error, SystemExit):  # of shell completion
            return error.code if isinstance(error.code, int) else 0
        return _fail(*_system_error(error))
    except MemoryError:
        return _fail(
            "out of memory.",
            "use a smaller model or text, or lower `training.batch_size` or `training.window`; "
            "for full BPTT or long lines: `training.memory=recompute`",
            1,
        )
    except RecursionError:
        return _fail("the input nests too deeply.", None, 3)
    except ImportError as error:  # of a compiled library, such as for lack of memory
        *_, cause = ["?", *str(error).strip().splitlines()]
        cause = cause.removeprefix("Original error was: ").rstrip(".")
        return _fail(f"a library cannot be loaded: {cause}.", None, 1)
    except (RuntimeError, SystemError) as error:
        if _interrupted(error):
            return _stopped()
        return _fail(f"the computation failed: {error}.", None, 1)
    except ValueError as error:
        if type(error).__name__ != "LinAlgError":  # NumPy is not imported for the sake of its name
            raise
        return _fail(f"the computation failed: {error}.", None, 1)


def _shown(remote: Remote) -> AbstractContextManager[Progress]:
    """Shows the progress of a download, unless --quiet is given."""
    if verbosity() is Verbosity.QUIET:
        return unwatched(remote)
    from charrnn.report.download_progress import show_download

    return show_download(remote)


def _shown_reading(label: str) -> AbstractContextManager[Progress]:
    """Shows how storing a large text goes, unless --quiet is given."""
    if verbosity() is Verbosity.QUIET:
        return unwatched(label)
    from charrnn.report.download_progress import show_reading

    return show_reading(label)


def _stopped() -> int:
    return _fail("interrupted; checkpoints saved so far are kept.", None, 130, "stopped")


def _interrupted(error: BaseException | None) -> bool:
    """Whether an error follows from Ctrl-C, such as that of a lock that was not taken any more."""
    return error is not None and (
        isinstance(error, KeyboardInterrupt) or _interrupted(error.__context__)
    )


def _system_error(error: OSError) -> tuple[str, str | None, int]:
    """The message, hint and exit code for an error of the operating system."""
    if error.filename is None and error.errno == errno.ENOENT:
        try:
            os.getcwd()
        except OSError:
            hint = "change to one that exists, such as with cd."
            return "the working directory was removed.", hint, 2
    return f"{error.filename or 'standard input or output'}: {error.strerror or error}.", None, 1


def _fail(message: str, hint: str | None, code: int, label: str = "error") -> int:
    if reports_errors():
        say_message(label, shortened(by_rank(message)))
        if hint:
            say_message("hint", hint)
    return code
