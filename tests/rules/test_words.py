"""Which words speak of the workshop, and which only sound like it."""

import pytest

from tests.rules.words import foreign_words


class TestForeignWords:
    @pytest.mark.parametrize(
        "text", ["see /work/main", "cd ../shared", "as in issue #7", "files.pythonhosted.org"]
    )
    def test_the_workshop_is_caught(self, text: str) -> None:
        assert list(foreign_words("docs/a.md", text))

    @pytest.mark.parametrize("text", ["service/workers", "at work", "hello/worker", "issues"])
    def test_ordinary_words_pass(self, text: str) -> None:
        assert not list(foreign_words("docs/a.md", text))
