"""What a source of models promises; tests/contracts/model_source.py checks one of your own."""

from collections.abc import Mapping
from typing import Protocol

from workers.loaded import LoadedModel

#: what people want to know before choosing a model, ready for JSON
Details = Mapping[str, object]


class ModelSource(Protocol):
    """Models by name, all of one kind."""

    def owns(self, name: str) -> bool:
        """Tell whether the name would be this source's, offered or not."""

    def offers(self) -> Mapping[str, Details]:
        """Return what can be loaded now: name -> details with a "source" and a "summary".

        Cheap: it builds no network, reads no weights and imports nobody's code.
        """

    def load(self, name: str, weights: str | None) -> LoadedModel:
        """Return the model, loaded afresh, on the CPU; the name is one that the source owns.

        `weights` is what a request says: None, a name that the source publishes, or a file under
        the model root. Raises a WorkerError that says what to do.
        """
