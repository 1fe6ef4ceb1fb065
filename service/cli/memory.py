"""How a long-lived server holds its memory: steady, not growing with what it once needed."""

import ctypes
import gc
import platform

#: glibc's numbers for what can be set, of malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8

#: by default eight a core, and what a thread freed stays in the one that it happened to use
_ARENAS = 2
#: bytes; once set, it no longer grows with the largest block ever freed, up to which blocks then
#: leave holes instead of going back to the system
_APART = 128 * 1024
#: objects made between two looks for garbage; Python's own 700 suit programs that hold little
_YOUNG = 20_000


def bound() -> None:
    """Tell glibc, where it is the one that allocates, to keep little of what is freed.

    To be called before there are threads.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_ARENA_MAX, _ARENAS)
    mallopt(_M_MMAP_THRESHOLD, _APART)
    mallopt(_M_TRIM_THRESHOLD, _APART)


def settle() -> None:
    """Look for garbage no more among what there is now: classes, routes, compiled statements.

    To be called once all is set up, and before the first request. Walking through that takes
    longer than many an answer, and found nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
