"""Every error a worker can raise on purpose: facts go in, a sentence comes out.

WorkerError
├── UnknownModel
├── UnknownDataset
├── CorruptWeights      a weights file cannot be read as what it should be
├── MismatchedData      the dataset does not fit the model
├── Cancelled           the job was cancelled while a trial ran
└── Stopping            the worker was asked to stop while a trial ran
"""

from collections.abc import Sequence


class WorkerError(Exception):
    """The base of everything `workers` raises on purpose; `code` is stable and kebab-case."""

    code = "worker-error"


class UnknownModel(WorkerError):
    """No model is registered under this name."""

    code = "unknown-model"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown model {name!r}; this worker offers {', '.join(known)}")


class UnknownDataset(WorkerError):
    """No dataset is registered under this name."""

    code = "unknown-dataset"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown dataset {name!r}; this worker offers {', '.join(known)}")


class CorruptWeights(WorkerError):
    """A weights file cannot be read as what it should be."""

    code = "corrupt-weights"

    def __init__(self, model: str, why: str) -> None:
        super().__init__(
            f"the weights of {model} cannot be loaded: {why}; restore the file from its source"
        )


class MismatchedData(WorkerError):
    """The dataset's images or classes do not fit the model."""

    code = "mismatched-data"

    def __init__(self, model: str, dataset: str, *, why: str) -> None:
        super().__init__(f"{dataset} does not fit {model}: {why}")


class Cancelled(WorkerError):
    """The job was cancelled while a trial ran."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("the job was cancelled")


class Stopping(WorkerError):
    """The worker was asked to stop while a trial ran."""

    code = "stopping"

    def __init__(self) -> None:
        super().__init__("the worker was asked to stop")
