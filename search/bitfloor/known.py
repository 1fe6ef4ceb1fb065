"""Allocations that others would choose: bets like any other, and the bar that ours has to clear."""

from collections.abc import Iterator

from search import lin
from search import paper
from search.allocation import QuantizerConfig
from search.allocation import nearest
from search.samplers import Proposal
from search.spec import SearchSpec
from search.uniform import uniform_allocations


def known(spec: SearchSpec) -> Iterator[Proposal]:
    """Yield the uniform allocations, Lin et al.'s family, and Sun & Lin's hand-made rows.

    The rows are for VGG-16: of a network with as many decisions to make. Where a menu lacks an
    option, the nearest stands in for it. An allocation may come more than once.
    """
    for allocation in uniform_allocations(spec):
        yield Proposal(allocation, "uniform")
    for allocation in lin.family(spec):
        yield Proposal(allocation, "lin")
    if len(spec.variables) != paper.POINTS:
        return
    for row in (*paper.NONUNIFORM, *paper.DISCRETE):
        options = [
            nearest(variable.menu, QuantizerConfig(row.quantizer, bits))
            for variable, bits in zip(spec.variables, row.bits, strict=True)
        ]
        yield Proposal(spec.allocation(options), "paper")
