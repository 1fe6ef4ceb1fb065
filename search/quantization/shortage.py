"""Tells too little memory from everything else that can go wrong with a network."""

#: in what torch and its libraries raise when the device, or the machine, has no room
_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "bad_alloc")


def is_shortage(error: BaseException) -> bool:
    """Tell whether there was too little memory, of the device or of the machine."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)
