"""What a search starts from, before any trial."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

from search.allocation import BitAllocation
from search.bitfloor.assumed import assumed
from search.bitfloor.known import known
from search.bitfloor.landscape import Landscape
from search.bitfloor.outlook import Expectation
from search.bitfloor.response import Response
from search.bitfloor.view import View
from search.racing import Race
from search.samplers import Proposal
from search.spec import SearchSpec
from search.trial import Hits


@dataclass(frozen=True, eq=False)
class Outset:
    """What a search starts from."""

    landscape: Landscape
    expectation: Expectation
    #: allocations that others would choose
    known: Sequence[Proposal]

    @classmethod
    def of(cls, spec: SearchSpec) -> "Outset":
        """Return the outset of a search."""
        sensitivity = spec.sensitivity or assumed(
            spec.points, spec.menus, accuracy=spec.baseline.accuracy
        )
        response = Response.of(sensitivity.margins, accuracy=spec.baseline.accuracy)
        race = Race.of(spec.baseline, spec.certificate)
        return cls(
            Landscape.of(spec, sensitivity),
            Expectation(response, race, spec.certificate.images if spec.certificate else None),
            tuple(known(spec)),
        )

    def after(self, trials: Mapping[BitAllocation, Hits]) -> View:
        """Return what is believed after these trials."""
        floor = self.expectation.floor
        return View.of(self.landscape, self.expectation, trials=trials, floor=floor)
