"""Models of installed packages: entry points of group `bitfloor.models`, imported when loaded."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points

from torch import nn
from torch.export import ExportedProgram

from search.quantization.shortage import is_shortage
from workers.errors import BrokenModel
from workers.errors import WeightsNotTaken
from workers.loaded import LoadedModel
from workers.models.source import Details

GROUP = "bitfloor.models"


def installed() -> Iterable[EntryPoint]:
    """Return what the packages of this environment say they have; none of it is imported."""
    return entry_points(group=GROUP)


@dataclass(frozen=True, slots=True)
class InstalledModels:
    """A `ModelSource` of callables that take nothing and return a LoadedModel or an nn.Module."""

    find: Callable[[], Iterable[EntryPoint]] = installed

    def owns(self, name: str) -> bool:
        """Tell whether an installed package has it."""
        return any(entry.name == name for entry in self.find())

    def offers(self) -> Mapping[str, Details]:
        """Return the names, with the package that each comes from."""
        return {
            entry.name: {"source": "package", "summary": f"{entry.value}{_package(entry)}"}
            for entry in self.find()
        }

    def load(self, name: str, weights: str | None) -> LoadedModel:
        """Return what the callable makes; raises WeightsNotTaken, BrokenModel."""
        entries = {entry.name: entry for entry in self.find()}
        if weights is not None:
            raise WeightsNotTaken(name)
        try:
            made = entries[name].load()()
        except (Exception, SystemExit) as error:  # somebody else's code, which may do anything
            if is_shortage(error):
                raise
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            raise BrokenModel(name, why) from error
        if isinstance(made, LoadedModel):
            return made
        if isinstance(made, nn.Module | ExportedProgram):
            return LoadedModel(network=made)
        kind = type(made).__name__
        raise BrokenModel(name, f"it is made as {kind}, not as a LoadedModel or an nn.Module")


def _package(entry: EntryPoint) -> str:
    return f", of {entry.dist.name} {entry.dist.version}" if entry.dist else ""
