"""What ends a command: exit statuses, and errors that say in one line what to do about them.

CommandError
├── UsageProblem             what was typed cannot be used
│   ├── SpecUnusable
│   ├── OverrideUnusable
│   ├── FieldUnusable
│   ├── ConditionUnusable
│   ├── DocumentUnusable
│   └── SettingUnusable
├── MissingExtra
├── PortTaken
├── AddressUnusable
├── FileUnusable
├── ServerStopped
├── NoTokens
├── WorkerDied
└── DemoFailed
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

from service.store.values import JobState


class ExitStatus(IntEnum):
    """What a command leaves behind for the shell; docs/cli.md explains them to users."""

    OK = 0
    ERROR = 1  # the server, the network, the database or the disk said no
    USAGE = 2  # what was typed or written in the spec cannot be used
    CONDITION_NOT_MET = 3  # a --fail-unless condition does not hold
    JOB_FAILED = 4
    JOB_INFEASIBLE = 5  # nothing held the floor
    JOB_CANCELLED = 6
    NOT_YET = 7  # the job has not ended, so there is no certified best
    WAIT_TIMEOUT = 8  # the job has not ended within `wait --timeout`
    BELOW_FLOOR = 9  # there is an allocation, but none that is certified to hold the floor
    FIGURES_DIFFER = 10  # `verify` measured something else than what is stated
    INTERRUPTED = 130  # Ctrl-C


#: How a command that waits for a job ends.
STATUS_OF_STATE = {
    JobState.QUEUED: ExitStatus.NOT_YET,
    JobState.RUNNING: ExitStatus.NOT_YET,
    JobState.SUCCEEDED: ExitStatus.OK,
    JobState.FAILED: ExitStatus.JOB_FAILED,
    JobState.INFEASIBLE: ExitStatus.JOB_INFEASIBLE,
    JobState.CANCELLED: ExitStatus.JOB_CANCELLED,
}


class CommandError(Exception):
    """The base of everything a command raises on purpose."""

    status: ClassVar[ExitStatus] = ExitStatus.ERROR


class UsageProblem(CommandError):
    """What was typed cannot be used; nothing was done."""

    status = ExitStatus.USAGE


class SpecUnusable(UsageProblem):
    """The spec file is missing, or is no YAML mapping."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"{path}: {why}; a spec is a YAML mapping with at least model, dataset and tolerance"
        )


class OverrideUnusable(UsageProblem):
    """A --set does not read as NAME=VALUE."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--set {text!r}: write it as NAME=VALUE, such as tolerance=0.01")


class FieldUnusable(UsageProblem):
    """A field of the request is missing, or holds what cannot be used."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")


class ConditionUnusable(UsageProblem):
    """A --fail-unless does not read as FIELD OPERATOR NUMBER."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"--fail-unless {text!r}: {why}; write it as 'saved>=0.80', 'drop<=1%' or the like"
        )


class DocumentUnusable(UsageProblem):
    """A file is not what `bitfloor best --format json` prints."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}; give it what 'bitfloor best ID --format json' prints")


class SettingUnusable(UsageProblem):
    """An environment variable holds what cannot be used."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"BITFLOOR_{field.upper()}: {why}; change or unset the variable")


class MissingExtra(CommandError):
    """This command needs more than a client is installed with."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"this command needs the Python package {module!r}, which is not installed; "
            f"needs: pip install 'bitfloor[{extra}]'"
        )


class PortTaken(CommandError):
    """Another program listens on the port."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"port {port} on {host} is taken; stop what listens there, choose another with "
            "--port, or let --port 0 find a free one"
        )


class AddressUnusable(CommandError):
    """The host or port cannot be listened on."""

    def __init__(self, host: str, port: int, *, why: str) -> None:
        super().__init__(f"cannot listen on {host} port {port}: {why}; check --host and --port")


class FileUnusable(CommandError):
    """A file or folder cannot be written; `full`: for want of room."""

    def __init__(self, path: object, why: str, *, full: bool = False) -> None:
        remedy = "free some room there" if full else "make it possible here"
        super().__init__(f"cannot write {path}: {why}; choose another place, or {remedy}")


class ServerStopped(CommandError):
    """The API ended although nobody asked it to."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the API stopped by itself: {why}; its own messages are above")


class NoTokens(CommandError):
    """Others could connect, and nobody would have to say who they are."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"nobody could sign in at {host}: there is no token yet; make one with 'bitfloor token "
            "create NAME' for the same database, or listen on 127.0.0.1, which needs none"
        )


class WorkerDied(CommandError):
    """The process that evaluates was ended from outside."""

    def __init__(self, status: int) -> None:
        super().__init__(
            f"the evaluation was ended by signal {-status}; is there enough memory for the model?"
        )


class DemoFailed(CommandError):
    """The demo did not come to its end."""

    def __init__(self, why: str, log: object) -> None:
        super().__init__(f"the demo failed: {why}; the server's messages are in {log}")


def listed(names: Iterable[str]) -> str:
    """Return the names as "a, b, c"."""
    return ", ".join(names)
