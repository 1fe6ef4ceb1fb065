"""Functions, files and signatures keep their size, and every module opens with its promise."""

import pytest

from tests.rules import shape
from tests.rules.source import Rule
from tests.rules.source import Source

PROMISE = '"""Does one thing."""\n'


def holds(rule: Rule, text: str, path: str = "search/a.py") -> bool:
    return not list(rule(Source(path, text)))


class TestShortFunctions:
    def test_forty_lines_pass_and_one_more_does_not(self) -> None:
        assert holds(shape.short_functions, "def f():\n" + "    x = 1\n" * 40)
        assert not holds(shape.short_functions, "def f():\n" + "    x = 1\n" * 41)

    def test_the_docstring_is_not_counted(self) -> None:
        text = 'def f():\n    """A.\n\n    B.\n    """\n' + "    x = 1\n" * 40
        assert holds(shape.short_functions, text)

    def test_methods_and_inner_functions_are_looked_at_too(self) -> None:
        inner = "class A:\n    def f(self):\n" + "        x = 1\n" * 41
        assert not holds(shape.short_functions, inner)


class TestShortFiles:
    def test_a_test_file_may_be_longer_than_a_source_file(self) -> None:
        assert holds(shape.short_files, "x = 1\n" * 250)
        assert not holds(shape.short_files, "x = 1\n" * 251)
        assert holds(shape.short_files, "x = 1\n" * 400, "tests/test_a.py")
        assert not holds(shape.short_files, "x = 1\n" * 401, "tests/test_a.py")


class TestFewPositional:
    @pytest.mark.parametrize(
        "text",
        [
            "def f(a, b): ...",
            "def f(a, b, *, c, d): ...",
            "def f(a, b, *rest): ...",
            "def f(engine, a, b): ...",
            "class A:\n    def f(self, a, b): ...",
            "from torch import nn\nclass A(nn.Module):\n    def forward(self, a, b, c): ...",
            "import torch\nclass A(torch.nn.Module):\n    def forward(self, a, b, c): ...",
            "class A:\n    def __exit__(self, a, b, c): ...",
        ],
    )
    def test_two_by_position_pass(self, text: str) -> None:
        assert holds(shape.few_positional, text)

    @pytest.mark.parametrize(
        "text",
        [
            "def f(a, b, c): ...",
            "def f(a, b, /, c): ...",
            "def f(engine, a, b, c): ...",
            "class A(Exception):\n    def __init__(self, a, b, c): ...",
            "from search.a import B\nclass A(B):\n    def f(self, a, b, c): ...",
            "from typing import Protocol\nclass A(Protocol):\n    def f(self, a, b, c): ...",
        ],
    )
    def test_three_do_not(self, text: str) -> None:
        assert not holds(shape.few_positional, text)

    def test_pytest_hands_in_fixtures_by_name(self) -> None:
        assert holds(shape.few_positional, "def test_f(a, b, c): ...", "tests/test_a.py")


class TestModulePromise:
    @pytest.mark.parametrize(
        "text",
        [
            PROMISE,
            '"""Stores bits (e.g. 4.5 of them), never bytes."""\n',
            '"""One.\n\na tree\n"""\n',
        ],
    )
    def test_one_sentence_passes(self, text: str) -> None:
        assert holds(shape.module_promise, text)

    @pytest.mark.parametrize(
        "text", ["x = 1\n", '"""no full stop"""\n', '"""One thing. And another."""\n']
    )
    def test_none_or_two_do_not(self, text: str) -> None:
        assert not holds(shape.module_promise, text)

    def test_an_init_is_empty(self) -> None:
        assert holds(shape.module_promise, "", "search/__init__.py")
        assert not holds(shape.module_promise, PROMISE, "search/__init__.py")


class TestP90:
    def test_one_in_ten_may_be_longer(self) -> None:
        assert shape.p90([5] * 9 + [40]) == 5
        assert shape.p90([5] * 8 + [40] * 2) == 40
