"""Each part imports with what its extras install, and nothing more."""

import subprocess
import sys

import pytest

from tests.rules.borders import imports
from tests.rules.isolation import brought_by
from tests.rules.isolation import distributions_of
from tests.rules.isolation import imported
from tests.rules.isolation import named_by
from tests.rules.source import ROOT
from tests.rules.source import python_files

EXTRAS = {
    "migrations": ["store"],
    "search": ["worker"],
    "service": ["service"],
    "service/otel.py": ["otel"],
    "workers": ["worker"],
    "workers/evaluators/ray.py": ["ray"],
    "workers/models/timm_models.py": ["timm"],
}


class TestImported:
    def test_the_command_line_needs_a_clients_packages_only(self) -> None:
        # the commands that start servers import them when they run
        modules = ["bitfloor", "service.cli.main", "service.client"]
        assert imported(modules, extras=(), folder=ROOT) == {*modules}

    def test_the_service_needs_no_torch(self) -> None:
        modules = imported(["service.*"], extras=["service"], folder=ROOT, skip=["service.otel"])
        assert {"service.api.app", "service.dashboard.storage", "service.store.jobs"} <= modules

    def test_workers_need_no_web_framework(self) -> None:
        ours = ["search.*", "workers.*"]
        modules = imported(ours, extras=["worker"], folder=ROOT, skip=["workers.evaluators.ray"])
        assert {"search.study", "workers.worker"} <= modules

    def test_what_the_extras_do_not_bring_is_refused(self) -> None:
        with pytest.raises(ImportError, match="No module named 'sqlalchemy'"):
            imported(["service.store.*"], extras=(), folder=ROOT)


class TestLoaded:
    def test_to_start_costs_nobody_the_second_that_scikit_learn_takes(self) -> None:
        # the dashboard and codebooks load it when they are asked for
        modules = "service.cli.deployment, search.quantization.catalog"
        program = f"import sys, {modules}; sys.exit('sklearn' in sys.modules)"
        subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=120)


class TestBroughtBy:
    def test_a_client_gets_neither_torch_nor_a_database(self) -> None:
        assert {"httpx", "typer"} <= brought_by(())
        assert not {"torch", "sqlalchemy", "fastapi"} & brought_by(())

    def test_an_extra_brings_the_extras_it_names(self) -> None:
        assert {"sqlalchemy", "torch"} <= brought_by(["worker"])


class TestNamedBy:
    def test_what_a_package_imports_its_extras_name(self) -> None:
        found = []
        for source in python_files():
            extras = [
                name for prefix, names in EXTRAS.items() if source.inside(prefix) for name in names
            ]
            modules = {name.partition(".")[0] for _, name in imports(source)} if extras else set()
            for module in modules:
                brings = distributions_of(module)
                if brings and not brings & named_by(extras):
                    found.append(f"{source.path} imports {module}, which {extras} do not name")
        assert not found, "\n".join(found)

    def test_an_extra_names_those_of_the_extras_it_refers_to(self) -> None:
        assert {"httpx", "sqlalchemy", "torch"} <= named_by(["worker"])
        assert "sqlalchemy" not in named_by([])
        assert "numpy" not in named_by(["service"])  # comes with others, so it may go with them
