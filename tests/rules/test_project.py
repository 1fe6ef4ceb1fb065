"""The project keeps its own rules."""

from collections import defaultdict

from tests.rules import borders
from tests.rules import shape
from tests.rules.source import PACKAGES
from tests.rules.source import breaches
from tests.rules.source import python_files
from tests.rules.source import text_files
from tests.rules.words import foreign_words

RULES = (
    borders.environment_at_the_door,
    borders.migrations_stand_alone,
    borders.no_doubles,
    borders.reasons_beside_directives,
    borders.search_is_pure,
    borders.sync_everywhere,
    shape.few_positional,
    shape.module_promise,
    shape.short_files,
    shape.short_functions,
)
FEWEST = 10  # functions; a percentile of fewer says little


def test_every_file_keeps_the_rules_or_says_why_not() -> None:
    found = [str(breach) for source in python_files() for breach in breaches(source, RULES)]
    assert not found, "\n".join(found)


def test_nine_functions_in_ten_are_short_in_every_folder() -> None:
    lengths: dict[str, list[int]] = defaultdict(list)
    for source in python_files():
        if source.inside(*PACKAGES):
            found = [shape.body_lines(function) for function in shape.functions(source)]
            lengths[source.path.rpartition("/")[0]] += found
    tails = {name: shape.p90(found) for name, found in lengths.items() if len(found) >= FEWEST}
    assert {name: tail for name, tail in tails.items() if tail > shape.P90_FUNCTION} == {}


def test_no_file_speaks_of_the_workshop_it_was_made_in() -> None:
    found = [str(breach) for path, text in text_files() for breach in foreign_words(path, text)]
    assert not found, "\n".join(found)
