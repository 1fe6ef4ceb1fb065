"""Every error a worker can raise on purpose: facts go in, a sentence comes out.

WorkerError
├── UnknownModel
├── UnknownDataset
├── FileNotAllowed      a file name could lead out of its root
├── FileNotThere        nothing in the root has this name
├── WeightsNeeded       a model was named without weights, and random ones cannot be searched
├── WeightsNotTaken     weights were named for a model that brings its own
├── UnknownWeights      neither published weights nor a kind of file has this name
├── WeightsUnreachable  published weights cannot be downloaded
├── CorruptWeights      a weights file cannot be read as what it should be
├── NonFiniteWeights    a tensor holds NaN or infinity
├── UnsafeProgram       a program holds what would be unpickled or run
├── UnusableProgram     a program was exported for training, or for one number of images
├── MissingPackage      a model's library is not installed
├── BrokenModel         an installed package's own model cannot be made
├── UnusableData        a dataset, or one file of it, cannot be read as what it should be
├── MismatchedData      the dataset does not fit the model
├── EarlierJobUnusable  nothing can be taken over from the job to start from
├── DiskFull            in room: there is no room for a file now; there may be later
├── DiskTooSmall        in room: a file is larger than its disk
├── MetricsAddressUnusable  nothing can answer Prometheus there
├── Cancelled           the job was cancelled while a trial ran
└── Stopping            the worker was asked to stop while a trial ran
"""

from collections.abc import Sequence

from search.nearest import told


class WorkerError(Exception):
    """The base of everything `workers` raises on purpose; `code` is stable and kebab-case."""

    code = "worker-error"


class UnknownModel(WorkerError):
    """No model is registered under this name."""

    code = "unknown-model"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown model {name!r}; this worker offers {told(name, known)}")


class UnknownDataset(WorkerError):
    """No dataset is registered under this name."""

    code = "unknown-dataset"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown dataset {name!r}; this worker offers {', '.join(known)}")


class FileNotAllowed(WorkerError):
    """A file name could lead out of the folder that requests may name files of."""

    code = "file-not-allowed"

    def __init__(self, name: str, root: str, *, why: str) -> None:
        super().__init__(f"{name!r} cannot be used as a file of the {root}: {why}")


class FileNotThere(WorkerError):
    """Nothing in the root has this name."""

    code = "file-not-there"

    def __init__(self, name: str, root: str, *, variable: str) -> None:
        super().__init__(
            f"the {root} of this worker has no {name!r}; put it there, or say where the folder is "
            f"with {variable}"
        )


class WeightsNeeded(WorkerError):
    """A model was named without weights, and random ones cannot be searched."""

    code = "weights-needed"

    def __init__(self, model: str, known: Sequence[str]) -> None:
        published = f" one of {', '.join(known)}, or" if known else ""
        super().__init__(
            f"{model} needs weights, since random ones cannot be searched: name{published} a "
            "file under the model root"
        )


class WeightsNotTaken(WorkerError):
    """Weights were named for a model that brings its own."""

    code = "weights-not-taken"

    def __init__(self, model: str) -> None:
        super().__init__(f"{model} comes with its weights; leave `weights` out")


class UnknownWeights(WorkerError):
    """Neither published weights nor a kind of file has this name."""

    code = "unknown-weights"

    def __init__(self, model: str, weights: str, *, known: Sequence[str]) -> None:
        super().__init__(
            f"{model} has no weights {weights[:80]!r}; published are {', '.join(known) or 'none'}, "
            "and files under the model root end in .safetensors, .pth or .pt"
        )


class WeightsUnreachable(WorkerError):
    """Published weights cannot be downloaded."""

    code = "weights-unreachable"

    def __init__(self, model: str, weights: str, *, why: str) -> None:
        super().__init__(
            f"{weights} of {model} cannot be downloaded ({why}); put the file under the model root "
            "and name it in weights"
        )


class CorruptWeights(WorkerError):
    """A weights file cannot be read as what it should be."""

    code = "corrupt-weights"

    def __init__(self, model: str, why: str) -> None:
        super().__init__(
            f"the weights of {model} cannot be loaded: {why}; restore the file from its source"
        )


class NonFiniteWeights(WorkerError):
    """A tensor of the model holds NaN or infinity."""

    code = "non-finite-weights"

    def __init__(self, model: str, tensor: str) -> None:
        super().__init__(
            f"{tensor} of {model} holds NaN or infinity, so no accuracy means anything; train or "
            "export it again"
        )


class UnsafeProgram(WorkerError):
    """Loading a program would unpickle objects or run code of the file."""

    code = "unsafe-program"

    def __init__(self, model: str, what: str) -> None:
        super().__init__(
            f"{model} is not loaded: it holds {what}, which could run code; save it again with "
            "torch.export.save, as plain contiguous tensors and operators"
        )


class UnusableProgram(WorkerError):
    """A program computes something else than a classifier's logits for any number of images."""

    code = "unusable-program"

    def __init__(self, model: str, why: str) -> None:
        super().__init__(f"{model} cannot be searched as it was exported: {why}")


class MissingPackage(WorkerError):
    """A model's library is not installed where the worker runs."""

    code = "missing-package"

    def __init__(self, model: str, package: str) -> None:
        super().__init__(
            f"{model} needs {package}, which is not installed where the worker runs: "
            f"pip install 'bitfloor[{package}]'"
        )


class BrokenModel(WorkerError):
    """An installed package's own model cannot be made."""

    code = "broken-model"

    def __init__(self, model: str, why: str) -> None:
        super().__init__(f"{model} is installed here but cannot be made: {why}")


class UnusableData(WorkerError):
    """A dataset, or one file of it, cannot be read as what it should be."""

    code = "unusable-data"

    def __init__(self, dataset: str, why: str) -> None:
        super().__init__(f"{dataset} cannot be used: {why}")


class MismatchedData(WorkerError):
    """The dataset's images or classes do not fit the model."""

    code = "mismatched-data"

    def __init__(self, model: str, dataset: str, *, why: str) -> None:
        super().__init__(f"{dataset} does not fit {model}: {why}")


class EarlierJobUnusable(WorkerError):
    """The job to start from is gone, or what is behind the names has changed since."""

    code = "earlier-job-unusable"

    def __init__(self, job_id: str, why: str) -> None:
        remedy = "submit again without from_job, or with another job"
        super().__init__(f"from_job: nothing of job {job_id} can be taken over: {why}; {remedy}")


class MetricsAddressUnusable(WorkerError):
    """Nothing can answer Prometheus at this address."""

    code = "metrics-address-unusable"

    def __init__(self, host: str, port: int, *, why: str) -> None:
        super().__init__(
            f"cannot serve metrics on port {port} of {host}: {why}; choose another with "
            "--metrics-port or --metrics-host, or let --metrics-port 0 find one that is free"
        )


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
