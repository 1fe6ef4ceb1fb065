"""Puts the OpenAPI document into the order of the story, with an example of all that goes over."""

from collections.abc import Mapping
from typing import Any

from service.api import answer_examples
from service.api import request_examples
from service.api import story

Document = dict[str, Any]


def illustrate(document: Document) -> None:
    """Change the document in place; what the story does not name comes last, as it was."""
    document["tags"] = [{"name": n, "description": said} for n, said in story.TAGS.items()]
    places = [*story.OPERATIONS]
    paths: Mapping[str, Document] = document["paths"]

    def place(path: str) -> int:
        told = (f"{method.upper()} {path}" for method in paths[path])
        return min((places.index(o) for o in told if o in places), default=len(places))

    document["paths"] = {path: paths[path] for path in sorted(paths, key=place)}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _operation(f"{method.upper()} {path}", operation)


def _operation(name: str, operation: Document) -> None:
    if name in story.OPERATIONS:
        tag, operation["summary"] = story.OPERATIONS[name]
        operation["tags"] = [tag]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in request_examples.PARAMETERS:
            parameter["example"] = request_examples.PARAMETERS[parameter["name"]]
    if name in request_examples.BODIES:
        (content,) = operation["requestBody"]["content"].values()
        content["examples"] = {
            key: {"summary": summary, "value": value}
            for key, (summary, value) in request_examples.BODIES[name].items()
        }
    answers = answer_examples.ANSWERS.get(name, {})
    for status, answer in operation["responses"].items():
        for media_type, example in answers.get(int(status), {}).items():
            answer["content"][media_type]["example"] = example
        for header, described in answer.get("headers", {}).items():
            description, example = answer_examples.HEADERS[header]
            described |= {"description": description, "example": example}
