"""A server's memory, looked at from outside: in processes of their own, on the libc there is."""

import platform
import subprocess
import sys

import pytest

#: what reports do to memory: threads that each put blocks of ever more megabytes together
_WORK = """
import gc, threading
from pathlib import Path
from service.cli import memory

{before}

def work():
    small = []
    for size in range(1, 24):
        block = bytearray(size * 2**20)
        small.append(bytes(100_000))
        del block

for _ in range(3):
    threads = [threading.Thread(target=work) for _ in range(12)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
gc.collect()
print(int(Path("/proc/self/statm").read_text().split()[1]) * 4096)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="tells glibc what to keep")
def test_what_threads_freed_goes_back_to_the_system() -> None:
    assert int(_told(_WORK.format(before="memory.bound()"))) < 60 * 2**20


def test_what_there_is_at_the_start_is_never_walked_again() -> None:
    text = (
        "import gc; from service.cli import memory; memory.settle(); print(gc.get_freeze_count())"
    )
    assert int(_told(text)) > 1000


def _told(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
