"""What this worker can load by name: loaders are registered, requests only ever name them."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Generic
from typing import TypeVar

Loaded = TypeVar("Loaded")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Loaded]):
    """A registered model or dataset."""

    name: str
    #: what people want to know before choosing it, ready for JSON
    details: Mapping[str, object]
    load: Callable[[], Loaded]


@dataclass(slots=True)
class Registry(Generic[Loaded]):
    """Loaders by name; `unknown` makes the error for a name that is not there."""

    unknown: Callable[[str, tuple[str, ...]], Exception]
    _entries: dict[str, Entry[Loaded]] = field(default_factory=dict)

    def register(
        self, name: str, details: Mapping[str, object]
    ) -> Callable[[Callable[[], Loaded]], Callable[[], Loaded]]:
        """Offer a loader under a name."""

        def add(load: Callable[[], Loaded]) -> Callable[[], Loaded]:
            self._entries[name] = Entry(name, details, load)
            return load

        return add

    def entries(self) -> tuple[Entry[Loaded], ...]:
        """Return what is offered, by name."""
        return tuple(self._entries[name] for name in sorted(self._entries))

    def load(self, name: str) -> Loaded:
        """Return what the name stands for, loaded afresh."""
        if name not in self._entries:
            raise self.unknown(name, tuple(sorted(self._entries)))
        return self._entries[name].load()
