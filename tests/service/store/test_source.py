"""Rules on the store's own source that no type checker knows."""

import ast
from pathlib import Path

import pytest

import service.store.session

FOLDER = Path(service.store.session.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestSource:
    def test_one_store_serves_every_process_so_nothing_is_async(self, path: Path) -> None:
        nodes = ast.walk(ast.parse(path.read_text()))
        kinds = (ast.AsyncFunctionDef, ast.AsyncWith, ast.AsyncFor, ast.Await)
        assert not [node.lineno for node in nodes if isinstance(node, kinds)]

    def test_the_only_clock_is_the_databases(self, path: Path) -> None:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imported = {
            alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
        }
        imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
        assert not imported & {"time", "datetime"}
