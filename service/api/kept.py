"""Keeps what can never change again, as much of it as there is room for, dropping the oldest use.

What is kept is never looked up for whoever may not see it: routes ask for it behind the door and
behind the question whose job it is.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

#: of the room, at most, that one value may take
LARGEST_SHARE = 0.5


class Kept(Generic[Key, Value]):
    """Values by key, each with its size; shared between threads."""

    def __init__(self, room: int) -> None:
        """`room` is what all sizes may sum up to."""
        self._room = room
        self._taken = 0
        self._values: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value, used just now; None where it is not kept."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Key, value: Value, *, size: int = 1) -> None:
        """Keep the value, if it is not too large, in place of those unused for longest."""
        if size > self._room * LARGEST_SHARE:
            return
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = (value, size)
            self._taken += size - before
            while self._taken > self._room:
                _, (_, freed) = self._values.popitem(last=False)
                self._taken -= freed

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._values)
