"""What a torch.export archive may hold, so that loading it unpickles nothing and runs no code.

torch 2.15 unpickles tensors that are marked so, custom objects, sample inputs that are more than
tensors, and every tensor of older formats; it loads compiled libraries; it evaluates the text of
symbolic sizes as Python; and it finds operators by walking attributes of torch. Each is refused
here, before the loader sees the file.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from workers.errors import UnsafeProgram
from workers.models import weights

_MODEL = "models/model.json"
_WEIGHTS = "data/weights/model_weights_config.json"
_CONSTANTS = "data/constants/model_constants_config.json"
_SAMPLES = "data/sample_inputs/model.pt"
#: every record that a program of plain tensors has; extra files are only ever text
_RECORDS = re.compile(
    rf"{_MODEL}|{_WEIGHTS}|{_CONSTANTS}|{_SAMPLES}"
    r"|data/weights/weight_\d+|data/constants/tensor_\d+|extra/.*"
    r"|archive_format|archive_version|byteorder|\.data/[a-z_]+"
)
#: operators: of a library, on Python numbers, or on symbolic sizes
_OPERATOR = re.compile(r"torch\.ops\.\w+\.\w+(\.\w+)?|_operator\.\w+|math\.\w+|torch\.sym_\w+")
#: a symbol's own name, as it is quoted in a symbolic size
_QUOTED = re.compile(r"'\w+'")
#: all that symbolic sizes are written with; in Python, this calls nothing but what _WORD names
_ARITHMETIC = re.compile(r"[\w\s(),+*/<>=-]*")
_FUNCTIONS = "Symbol|Integer|Rational|Add|Mul|Pow|Max|Min|Mod|FloorDiv|CeilDiv|CleanDiv|PythonMod"
_ASSUMPTIONS = "positive|nonnegative|integer|real|finite|True|False|oo|int_oo"
_WORD = re.compile(rf"{_FUNCTIONS}|ModularIndexing|IntTrueDiv|{_ASSUMPTIONS}|[a-z]\d+")


def described(path: Path) -> dict[str, object]:
    """Return "input_shape" and "classes" as the archive writes them; nothing that it leaves open.

    It only reads JSON. A damaged archive describes nothing.
    """
    try:
        with zipfile.ZipFile(path) as found:
            if sum(record.file_size for record in found.infolist()) > path.stat().st_size:
                return {}  # compressed, which torch's are not
            record = next(name for name in found.namelist() if name.endswith(f"/{_MODEL}"))
            program = json.loads(found.read(record))["graph_module"]
        signature = program["signature"]
        images = [s["user_input"] for s in signature["input_specs"] if "user_input" in s]
        logits = [s["user_output"] for s in signature["output_specs"] if "user_output" in s]
        shape, classes = _sizes(program, images), _sizes(program, logits)
    except Exception:  # noqa: BLE001  # anything can be wrong with a file; loading it will say what
        return {}
    known = {"input_shape": shape} if shape else {}
    return known | ({"classes": classes[0]} if len(classes) == 1 else {})


def _sizes(program: Any, specs: list[Any]) -> list[int]:
    """Return the sizes of the one tensor without its batch; none where one is not a number."""
    if len(specs) != 1:
        return []
    name = specs[0]["arg"]["as_tensor"]["name"]
    sizes = program["graph"]["tensor_values"][name]["sizes"][1:]
    return [size["as_int"] for size in sizes] if all("as_int" in size for size in sizes) else []


def require_plain(data: bytes, *, model: str) -> None:
    """Raise UnsafeProgram unless the archive is one that loads without running code of its own.

    A damaged archive raises whatever its readers raise.
    """
    from torch.export.pt2_archive import PT2ArchiveReader  # noqa: PLC0415  # loads the compiler

    # the loader's own reader: two readers of zip files may see two different archives
    with PT2ArchiveReader(io.BytesIO(data)) as reader:
        weights.require_stored(reader.archive_file, len(data), model=model)
        for record in reader.get_file_names():
            if not _RECORDS.fullmatch(record):
                raise UnsafeProgram(model, f"the record {record[:80]!r}")
        for record in (_WEIGHTS, _CONSTANTS):
            _require_plain_tensors(json.loads(reader.read_bytes(record)), model=model)
        _require_plain_samples(reader.read_bytes(_SAMPLES), model=model)
        _require_plain_graph(json.loads(reader.read_bytes(_MODEL)), model=model)


def _require_plain_tensors(payloads: Any, *, model: str) -> None:
    for name, payload in payloads["config"].items():
        # anything but false is taken for a pickle, as is any file that is not of a plain tensor
        plain = re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"])
        if payload["use_pickle"] is not False or not plain:
            raise UnsafeProgram(model, f"a pickle for {name[:80]!r}")


def _require_plain_samples(samples: bytes, *, model: str) -> None:
    if not samples:
        return
    try:
        torch.load(io.BytesIO(samples), map_location="cpu", weights_only=True)
    except Exception as error:
        # the loader would try again with the restrictions lifted
        raise UnsafeProgram(model, "sample inputs that are more than tensors") from error


def _require_plain_graph(program: Any, *, model: str) -> None:
    for key, text in _texts(program):
        if key == "expr_str" and not is_arithmetic(text):
            raise UnsafeProgram(model, f"the size {text[:80]!r}")
        if key == "target" and not _OPERATOR.fullmatch(text):
            raise UnsafeProgram(model, f"the operator {text[:80]!r}")


def is_arithmetic(text: str) -> bool:
    """Tell whether the text of a symbolic size is arithmetic alone when evaluated as Python."""
    bare = _QUOTED.sub("", text)
    words = re.findall(r"[^\W\d]\w*", bare)
    return bool(_ARITHMETIC.fullmatch(bare)) and all(_WORD.fullmatch(word) for word in words)


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    """Yield every text of a JSON document with its key."""
    if isinstance(document, dict):
        for key, value in document.items():
            if isinstance(value, str):
                yield key, value
            else:
                yield from _texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value)
