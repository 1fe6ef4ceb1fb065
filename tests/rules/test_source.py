"""Which excuses a line may give, and which are none."""

from tests.rules.shape import short_functions
from tests.rules.source import Source
from tests.rules.source import breaches
from tests.rules.source import python_files

LONG = "def f():{excuse}\n" + "    x = 1\n" * 41


def rules_broken(text: str) -> list[str]:
    return [breach.rule for breach in breaches(Source("search/a.py", text), [short_functions])]


class TestBreaches:
    def test_a_breach_without_an_excuse_stands(self) -> None:
        assert rules_broken(LONG.format(excuse="")) == ["long function"]

    def test_an_excuse_on_the_same_line_lets_it_off(self) -> None:
        excuse = "  # rule: long function, because it is a table in disguise"
        assert rules_broken(LONG.format(excuse=excuse)) == []

    def test_an_excuse_for_another_rule_does_not(self) -> None:
        excuse = "  # rule: long file, because it is a table in disguise"
        assert rules_broken(LONG.format(excuse=excuse)) == ["excuse", "long function"]

    def test_an_excuse_without_a_reason_is_itself_a_breach(self) -> None:
        for excuse in ("  # rule: long function", "  # rule: long function, because so"):
            assert rules_broken(LONG.format(excuse=excuse)) == ["excuse", "long function"]

    def test_an_excuse_that_excuses_nothing_is_itself_a_breach(self) -> None:
        excuse = "x = 1  # rule: long function, because it used to be long\n"
        assert rules_broken(excuse) == ["excuse"]


class TestPythonFiles:
    def test_every_package_and_the_tests_are_read(self) -> None:
        paths = {source.path for source in python_files()}
        assert {"search/trial.py", "service/store/values.py", "tests/rules/test_source.py"} <= paths
