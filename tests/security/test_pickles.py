"""Pickles that pose as weights, programs or arrays: refused, and their code is never run."""

import ast
import io
import os
import pickle
import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sqlalchemy import Engine

from search.spec import JobSpec
from service.store import jobs
from service.store.values import JobState
from service.store.values import Submission
from tests.rules.borders import dotted
from tests.rules.source import PACKAGES
from tests.rules.source import python_files
from workers.settings import WorkerSettings
from workers.worker import Worker


class Trap:
    """Unpickling it makes a folder: the sign that somebody's code was run."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.sign),)


def saved(trap: Trap) -> bytes:
    """Return what torch.save writes."""
    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(1), "trap": trap}, buffer)
    return buffer.getvalue()


def saved_long_ago(trap: Trap) -> bytes:
    """Return what torch.save wrote before it wrote archives."""
    buffer = io.BytesIO()
    torch.save({"trap": trap}, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def bare(trap: Trap) -> bytes:
    """Return the pickle alone."""
    return pickle.dumps(trap)


def array(trap: Trap) -> bytes:
    """Return a .npy of objects."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([trap], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def arrays(trap: Trap) -> bytes:
    """Return an .npz of objects."""
    buffer = io.BytesIO()
    np.savez(buffer, images=np.array([trap], dtype=object), labels=np.zeros(1, np.int64))
    return buffer.getvalue()


def program(trap: Trap) -> bytes:
    """Return a .pt2 of the older format, whose records are pickles."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("serialized_exported_program.json", "serialized_state_dict.pt", "version"):
            archive.writestr(name, b"8.9" if name == "version" else saved(trap))
    return buffer.getvalue()


MAKERS = (saved, saved_long_ago, bare, array, arrays, program)
#: what a request names, and the file that it means
NAMED = {
    "weights.pth": {"model": "torchvision/alexnet", "weights": "weights.pth"},
    "weights.pt": {"model": "torchvision/alexnet", "weights": "weights.pt"},
    "weights.safetensors": {"model": "torchvision/alexnet", "weights": "weights.safetensors"},
    "timm.pth": {"model": "timm/resnet18", "weights": "timm.pth"},
    "program.pt2": {"model": "program/program"},
    "data.npz": {"dataset": "arrays/data"},
    "data.safetensors": {"dataset": "arrays/data"},
    "CIFAR10/test_batch": {"dataset": "torchvision/CIFAR10"},
    "MNIST/raw/t10k-images-idx3-ubyte": {"dataset": "torchvision/MNIST"},
}


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_no_file_that_a_job_names_is_unpickled(
    sqlite: Engine, tmp_path: Path, make: Callable[[Trap], bytes]
) -> None:
    sign = tmp_path / "sign"
    root = tmp_path / "root"
    submitted = []
    content = make(Trap(sign))
    settings = WorkerSettings(model_root=root, data_root=root, cache_dir=tmp_path / "cache")
    worker = Worker(sqlite, settings, torch.device("cpu"), threading.Event())
    for file, changes in NAMED.items():
        shutil.rmtree(root, ignore_errors=True)
        (root / file).parent.mkdir(parents=True)
        (root / file).write_bytes(content)
        if file.startswith("MNIST"):
            (root / "MNIST/raw/t10k-labels-idx1-ubyte").write_bytes(content)
        plain = {"model": "digits-vgg", "dataset": "digits", "tolerance": 0.02}
        spec = JobSpec(**(plain | changes), budget=1)  # type: ignore[arg-type]  # texts and a number
        submitted.append(jobs.enqueue(sqlite, Submission(spec=spec))[0].id)
        assert worker.work_once()
        assert not sign.exists(), file
    for job_id in submitted:
        job = jobs.get(sqlite, job_id)
        assert job.error
        assert job.state is JobState.FAILED, job
        assert job.error.code in {"corrupt-weights", "unsafe-program", "unusable-data"}, job


def test_the_traps_are_traps(tmp_path: Path) -> None:
    loaders: tuple[Callable[[io.BytesIO], object], ...] = (
        lambda file: torch.load(file, weights_only=False),
        lambda file: torch.load(file, weights_only=False),
        pickle.load,
        lambda file: np.load(file, allow_pickle=True),
        lambda file: np.load(file, allow_pickle=True)["images"],
    )
    for number, (make, load) in enumerate(zip(MAKERS, loaders, strict=False)):
        sign = tmp_path / f"sign{number}"
        load(io.BytesIO(make(Trap(sign))))
        assert sign.exists(), make


#: what unpickles, or runs text, unless it is told not to -> the argument that tells it
LOADERS = {
    "torch.load": ("weights_only", True),
    "numpy.load": ("allow_pickle", False),
    "np.load": ("allow_pickle", False),
    "np.lib.format.read_array": ("allow_pickle", False),
}
NEVER_CALLED = {
    "eval",
    "exec",
    "os.system",
    "os.popen",
    "torch.hub.load",
    "torch.export.load",
    "torch.jit.load",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "importlib.import_module",
    "__import__",
}
NEVER_IMPORTED = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "pty", "runpy"}


def unsafe(tree: ast.Module) -> list[str]:
    """Return what in the code could unpickle or run what a file holds."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [module] if module else [alias.name for alias in node.names]
            found += [f"import {n}" for n in names if str(n).split(".")[0] in NEVER_IMPORTED]
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            said = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            argument, wanted = LOADERS.get(name, ("", None))
            if name in NEVER_CALLED or (argument and said.get(argument) is not wanted):
                found.append(f"{name} in line {node.lineno}")
            if said.get("shell") is True:
                found.append(f"a shell in line {node.lineno}")
    return found


def test_no_code_of_ours_loads_what_could_run() -> None:
    sources = [source for source in python_files() if source.inside(*PACKAGES)]
    assert len(sources) > 100
    assert {source.path: unsafe(source.tree) for source in sources if unsafe(source.tree)} == {}


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "subprocess.run(text, shell=True)",
    ],
)
def test_such_code_would_be_found(line: str) -> None:
    assert unsafe(ast.parse(line))
