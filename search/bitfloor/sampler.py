"""`BitfloorSampler`: an Optuna sampler that needs a few evaluations where others need hundreds.

It serves any Optuna study that minimizes memory, also outside of a service:

    outset, space = Outset.of(spec), Space(spec)
    study = optuna.create_study(sampler=BitfloorSampler(outset))
    trial = study.ask(dict(space.distributions))
    result = ...                              # a TrialResult for space.decode(trial.params)
    trial.set_user_attr(RESULT, noted(result))
    study.tell(trial, result.memory_bits)

It learns from the trials that carry such a note, whoever proposed them. If the goal of the spec is
the front, the study takes `directions=space.directions`, and is told memory and accuracy.
"""

from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial

from search.bitfloor.front import FrontProposer
from search.bitfloor.outset import Outset
from search.bitfloor.proposer import Proposer
from search.optuna_space import Space

#: attempts at a trial from which on the fallback is asked
PATIENCE = 4
#: origin of what the fallback proposes
FALLBACK = "tpe"


class BitfloorSampler(BaseSampler):
    """Proposes from the frontier of measured sensitivities, corrected by every verdict.

    A proposal is a function of the outset, the trials noted before and the turn.
    """

    def __init__(
        self,
        outset: Outset,
        *,
        turn: tuple[int, int] | None = None,
        fallback: BaseSampler | None = None,
    ) -> None:
        """`turn` is (number, attempt); None: the trial's own number, and the first attempt.

        `fallback` is asked when there is nothing left to bet on; None: TPE, seeded alike.
        """
        self._outset = outset
        self._turn = turn
        self._fallback = fallback or TPESampler(seed=outset.landscape.spec.seed)
        self._space = Space(outset.landscape.spec)
        #: trial number -> who thought of it: "frontier", "correction", "lin", "tpe", …
        self.origins: dict[int, str] = {}

    def infer_relative_search_space(
        self,
        study: optuna.Study,  # noqa: ARG002  # Optuna's signature
        trial: FrozenTrial,  # noqa: ARG002  # Optuna's signature
    ) -> dict[str, BaseDistribution]:
        """Return the whole space: no variable is proposed without the others."""
        return dict(self._space.distributions)

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Return the parameters of the best bet, or what the fallback proposes."""
        number, attempt = self._turn or (trial.number, 0)
        proposer = _proposer(self._outset)
        for other in study.get_trials(deepcopy=False):
            result = self._space.result(other)
            if result is not None:
                proposer.learn(result)
        proposal = proposer.propose(number=number, attempt=attempt) if attempt < PATIENCE else None
        if proposal is None:
            self.origins[trial.number] = FALLBACK
            return self._fallback.sample_relative(study, trial, search_space)
        self.origins[trial.number] = proposal.origin
        return self._space.encode(proposal.allocation)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return what the fallback proposes, for a parameter that is none of the space's."""
        return self._fallback.sample_independent(study, trial, param_name, param_distribution)


def _proposer(outset: Outset) -> Proposer | FrontProposer:
    if outset.landscape.spec.goal == "front":
        return FrontProposer(outset.landscape, outset.expectation, known=outset.known)
    return Proposer(outset)
