"""What others would choose is offered as it stands, or as near as the menus allow."""

from dataclasses import replace

from search import paper
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.bitfloor.known import known
from search.spec import SearchSpec
from tests.contracts.networks import made_up_spec


def of_vgg() -> SearchSpec:
    """Return a search over points of VGG-16's sizes."""
    points = tuple(QuantizationPoint(f"p{i}", n) for i, n in enumerate(paper.ELEMENTS))
    menu = tuple(QuantizerConfig("affine", bits) for bits in range(1, 9))
    return replace(made_up_spec(), points=points, menus=(menu,) * len(points))


class TestKnown:
    def test_uniform_allocations_and_the_closed_form_are_known_of_any_network(self) -> None:
        assert {proposal.origin for proposal in known(made_up_spec())} == {"uniform", "lin"}

    def test_the_papers_rows_are_known_of_a_network_like_its_own(self) -> None:
        rows = [p.allocation for p in known(of_vgg()) if p.origin == "paper"]
        assert len(rows) == len(paper.NONUNIFORM) + len(paper.DISCRETE)
        # row 1 of Tables II and III has 8 10 ... 4: what the menu lacks is cut to 8 bits
        bits = [config.bit_width for _, config in rows[0].items()]
        assert bits == [min(b, 8) for b in paper.NONUNIFORM[0].bits]

    def test_all_keep_to_the_menus(self) -> None:
        spec = of_vgg()
        for proposal in known(spec):
            chosen = dict(proposal.allocation.items())
            assert all(chosen[v.name] in v.menu for v in spec.variables)
