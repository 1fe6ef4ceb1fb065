"""The `bitfloor` command: every command by name, and every error as one line and an exit status."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated
from typing import Any

import typer

from service.cli import backup
from service.cli import demo
from service.cli import doctor
from service.cli import jobs
from service.cli import offers
from service.cli import quota
from service.cli import reproduce
from service.cli import results
from service.cli import serving
from service.cli import token
from service.cli import verify
from service.cli import wait
from service.cli import watch
from service.cli import webhook
from service.cli.errors import CommandError
from service.cli.errors import ExitStatus
from service.cli.output import is_full
from service.cli.output import plain
from service.client import ClientError
from service.client import Problem
from service.client import WaitTimeout
from service.store.errors import StoreError

#: what Typer raises for a wrong command line; it names only the most specific ones publicly
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]

#: answers that say the request itself is wrong
_BAD_REQUEST = (400, 422)

app = typer.Typer(
    help="The fewest bits above your accuracy floor.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def about(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Search the fewest bits above your accuracy floor; docs/cli.md lists the exit statuses."""
    if show_version:
        typer.echo(version("bitfloor"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("up", rich_help_panel="Run")(serving.up)
app.command("serve", rich_help_panel="Run")(serving.serve)
for name, run in (("worker", serving.worker), ("ray-workers", serving.ray_workers)):
    app.command(
        name,
        rich_help_panel="Run",
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(run)
app.command("migrate", rich_help_panel="Run")(serving.migrate)
app.add_typer(token.app, name="token", rich_help_panel="Run")
app.add_typer(quota.app, name="quota", rich_help_panel="Run")
app.add_typer(webhook.app, name="webhook", rich_help_panel="Run")
app.command("doctor", rich_help_panel="Run")(doctor.doctor)
app.command("backup", rich_help_panel="Run")(backup.backup)
app.command("restore", rich_help_panel="Run")(backup.restore)
app.command("demo", rich_help_panel="Run")(demo.demo)
app.command("reproduce", rich_help_panel="Run")(reproduce.reproduce)
app.command("submit", rich_help_panel="Search")(watch.submit)
app.command("watch", rich_help_panel="Search")(watch.watch)
app.command("wait", rich_help_panel="Search")(wait.wait)
app.command("list", rich_help_panel="Search")(jobs.list_jobs)
app.command("show", rich_help_panel="Search")(jobs.show_job)
app.command("cancel", rich_help_panel="Search")(jobs.cancel)
app.command(
    "priority",
    rich_help_panel="Search",
    # a number below 0 looks like an option
    context_settings={"ignore_unknown_options": True},
)(jobs.priority)
app.command("models", rich_help_panel="Search")(offers.models)
app.command("datasets", rich_help_panel="Search")(offers.datasets)
app.command("best", rich_help_panel="Results")(results.best)
app.command("front", rich_help_panel="Results")(results.front)
app.command("report", rich_help_panel="Results")(results.report)
app.command("verify", rich_help_panel="Results")(verify.verify)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; no traceback reaches the user."""
    try:
        # False: errors come here, to be told in one line
        status = app(args=arguments, prog_name="bitfloor", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_output()  # whoever read it has gone
        return ExitStatus.ERROR
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the one place that catches everything
        sentence, exit_status = _explain(error)
        print(f"error: {plain(sentence)}", file=sys.stderr)
        if isinstance(error, OSError):
            _abandon_output()
        return exit_status
    return int(status or ExitStatus.OK)


def _abandon_output() -> None:
    """Let what is left of it go nowhere: Python would complain again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: Exception) -> tuple[str, ExitStatus]:
    if isinstance(error, _USAGE_ERROR):
        return _usage_sentence(error), ExitStatus.USAGE
    if isinstance(error, CommandError):
        return str(error), error.status
    if isinstance(error, Problem) and error.status in _BAD_REQUEST:
        return str(error), ExitStatus.USAGE
    if isinstance(error, WaitTimeout):
        return str(error), ExitStatus.WAIT_TIMEOUT
    if isinstance(error, ClientError | StoreError):
        return str(error), ExitStatus.ERROR
    return _unexpected(error), ExitStatus.ERROR


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and is_full(error):
        where = error.filename or "the output"
        return f"cannot write {where}: {error.strerror}; free some room where that goes"
    return f"unexpected {type(error).__name__}: {error}; please report this"


def _usage_sentence(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "bitfloor"
    return f"{error.format_message().rstrip('.')}; see: {command} --help"
