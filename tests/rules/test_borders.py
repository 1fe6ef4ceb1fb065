"""Purity, the environment, sync code, real tests: what import-linter cannot see."""

import pytest

from tests.rules import borders
from tests.rules.source import Rule
from tests.rules.source import Source


def holds(rule: Rule, text: str, path: str = "search/a.py") -> bool:
    return not list(rule(Source(path, text)))


class TestSearchIsPure:
    @pytest.mark.parametrize(
        "text",
        [
            "import time",
            "from datetime import UTC",
            "import os.path",
            "from pathlib import Path",
            "import random",
            "from random import shuffle",
            "open('a')",
            "torch.load('a')",
            "np.random.rand(3)",
            "numpy.random.seed(0)",
            "np.random.default_rng()",
            "Random()",
            "torch.randn(3)",
            "def f():\n    import time",
        ],
    )
    def test_reading_the_world_is_caught(self, text: str) -> None:
        assert not holds(borders.search_is_pure, text)

    @pytest.mark.parametrize(
        "text",
        [
            "import math",
            "from random import Random\nRandom(seed)",
            "np.random.default_rng(seed)",
            "torch.randn(3, generator=generator)",
            "model.open()",
        ],
    )
    def test_values_and_seeded_draws_pass(self, text: str) -> None:
        assert holds(borders.search_is_pure, text)

    def test_workers_may(self) -> None:
        assert holds(borders.search_is_pure, "import time", "workers/a.py")


class TestEnvironmentAtTheDoor:
    @pytest.mark.parametrize(
        "text",
        [
            "os.environ['A']",
            "os.environ.get('A')",
            "os.getenv('A')",
            "from os import environ",
            "from pydantic_settings import BaseSettings",
        ],
    )
    def test_entry_points_read_it_and_nothing_else(self, text: str) -> None:
        assert not holds(borders.environment_at_the_door, text, "service/store/a.py")
        for door in ("service/settings.py", "service/cli/a.py", "workers/__main__.py"):
            assert holds(borders.environment_at_the_door, text, door)


class TestSyncEverywhere:
    def test_an_async_function_is_caught_even_inside_a_class(self) -> None:
        assert not holds(borders.sync_everywhere, "class A:\n    async def f(self): ...")
        assert holds(borders.sync_everywhere, "def f(): ...")


class TestNoDoubles:
    @pytest.mark.parametrize(
        "text",
        [
            "from unittest.mock import Mock",
            "from unittest import mock",
            "import unittest.mock",
            "monkeypatch.setattr(a, 'b', c)",
        ],
    )
    def test_replacing_behind_a_back_is_caught(self, text: str) -> None:
        assert not holds(borders.no_doubles, text, "tests/test_a.py")

    def test_setting_the_environment_of_a_test_passes(self) -> None:
        assert holds(borders.no_doubles, "monkeypatch.setenv('A', '1')", "tests/test_a.py")


class TestMigrationsStandAlone:
    def test_a_version_imports_none_of_todays_code(self) -> None:
        text = "from service.store.models import Job"
        assert not holds(borders.migrations_stand_alone, text, "migrations/versions/a.py")
        assert holds(borders.migrations_stand_alone, text, "migrations/env.py")


class TestReasonsBesideDirectives:
    @pytest.mark.parametrize(
        "text",
        [
            "x = 1  # noqa: S603",
            "x = 1  # type: ignore[arg-type]",
            "x = 1  # pragma: no cover - so",
        ],
    )
    def test_a_bare_directive_is_caught(self, text: str) -> None:
        assert not holds(borders.reasons_beside_directives, text)

    @pytest.mark.parametrize(
        "text",
        [
            "x = 1  # noqa: S603, PLR0913 - starts our own worker",
            "x = 1  # type: ignore[arg-type]  # the stub forgets None",
        ],
    )
    def test_one_with_its_reason_passes(self, text: str) -> None:
        assert holds(borders.reasons_beside_directives, text)
