"""What is wrong with a request, field by field: where, what, and what to do about it."""

from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

#: pydantic's error types -> what to do; whatever is missing here has no remedy of its own
_REMEDIES: Mapping[str, str] = {
    "missing": "add it",
    "extra_forbidden": "remove it, or check its spelling",
    "finite_number": "use a finite number; NaN and infinity cannot be searched with",
    "greater_than": "use a larger value",
    "greater_than_equal": "use a larger value",
    "less_than": "use a smaller value",
    "less_than_equal": "use a smaller value",
    "too_short": "name at least one",
    "too_long": "leave some out",
    "string_too_short": "write something",
    "string_too_long": "shorten it",
    "string_unicode": "use valid Unicode text, without lone surrogates",
    "string_type": "put it in quotes",
    "int_type": "use a whole number, without quotes",
    "int_parsing": "use a whole number",
    "float_type": "use a number, without quotes",
    "list_type": "use a list, even for a single value",
    "dict_type": "use an object",
    "model_attributes_type": "send a JSON object",
}


def field_errors(errors: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return {"field", "message"} for each of pydantic's errors; values are not echoed.

    A field is named as a client wrote it: "bit_widths.2", "labels.team", "limit".
    """
    return [_field_error(error) for error in errors]


def _field_error(error: Mapping[str, Any]) -> dict[str, str]:
    # the first part says where it was: body, query, path or header
    path = [str(part) for part in error["loc"][1:]]
    field = ".".join(path) or str(error["loc"][0])
    message = str(error["msg"]).removeprefix("Value error, ")
    remedy = _REMEDIES.get(error["type"])
    sentence = message[:1].lower() + message[1:] + (f"; {remedy}" if remedy else "")
    return {"field": field[:200], "message": sentence}
