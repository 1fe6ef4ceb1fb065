"""Each sampler keeps the contract."""

import pytest

from search import optuna_samplers
from search import samplers
from search.allocation import QuantizationPoint
from search.allocation import QuantizerConfig
from search.baseline import Baseline
from search.errors import UnknownSampler
from search.spec import SearchSpec
from tests.contracts.networks import made_up_spec
from tests.contracts.sampler import SamplerContract


class TestBitfloorContract(SamplerContract):
    name = "bitfloor"


class TestTpeContract(SamplerContract):
    name = "tpe"


class TestRandomContract(SamplerContract):
    name = "random"


class TestLinContract(SamplerContract):
    name = "lin"
    draws = False


class TestNsga2Contract(SamplerContract):
    name = "nsga2"


class TestGpContract(SamplerContract):
    name = "gp"
    budget = 16


class TestRegistry:
    def test_every_registered_sampler_runs_the_contract(self) -> None:
        tested = {contract.name for contract in SamplerContract.__subclasses__()}
        assert set(samplers.registered()) <= tested

    def test_an_unknown_name_is_told_with_the_known_ones(self) -> None:
        with pytest.raises(UnknownSampler, match=r"'genius'.*gp, lin, nsga2, random, tpe"):
            samplers.create(made_up_spec(sampler="genius"))


class TestOptunaSampler:
    def test_a_hole_in_a_menu_is_filled_by_the_nearest_option(self) -> None:
        options = (QuantizerConfig("affine", 2), QuantizerConfig("codebook", 8))
        spec = SearchSpec(
            points=(QuantizationPoint("p", 1),),
            menus=(options,),
            baseline=Baseline(images=10, correct=9, tolerance=0.1),
            sampler="random",
            budget=2,
            seed=0,
        )
        sampler = optuna_samplers.random(spec)
        proposed = {sampler.propose(number=n, attempt=0).allocation.get("p") for n in range(40)}
        assert proposed == set(options)
