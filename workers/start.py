"""Where a search starts: from its own record, from an earlier job, or from nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import Engine

from search import earlier
from search.allocation import QuantizerConfig
from search.earlier import Same
from search.quantization.fitted import FittedOptions
from search.sensitivity import Sensitivity
from search.spec import JobSpec
from search.spec import SearchSpec
from service.store import jobs
from service.store import starts
from service.store.errors import JobNotFound
from service.store.starts import Earlier
from service.store.starts import Start
from service.store.values import Document
from service.store.values import Submission
from service.store.values import Taken
from workers import menus
from workers import sensitivity
from workers.errors import EarlierJobUnusable
from workers.workbench import Workbench


@dataclass(frozen=True, eq=False)
class Source:
    """What there is to start from."""

    #: this job's own start, from an attempt before this one
    kept: Start | None = None
    #: the job that was named; it is looked at once, before anything is kept
    earlier: Earlier | None = None

    def known(self, bench: Workbench, job: JobSpec) -> Sensitivity | None:
        """Return the sensitivities that need no measuring; None if there are none."""
        if self.kept is not None:
            document = self.kept.sensitivity
            return None if document is None else sensitivity.of(document)
        if self.earlier is None or self.earlier.sensitivity is None:
            return None
        found = sensitivity.of(self.earlier.sensitivity)
        alike = same(bench, self.earlier.spec)
        energies = {
            point: {o: found.energies[point][o] for o in menu if o in found.energies[point]}
            for point, menu in menus.of(job, bench.network).items()
            if point in found.energies
        }
        return replace(
            found,
            energies={
                point: {option: energy for option, energy in known.items() if alike(point, option)}
                for point, known in energies.items()
            },
            # they were evaluated for the earlier job
            images=0,
        )

    def start(self, bench: Workbench, search: SearchSpec, *, known: Sensitivity | None) -> Start:
        """Return what is to be kept, before the first trial; `known` was not measured."""
        found = search.sensitivity
        document = None if found is None else sensitivity.document_of(found)
        if self.earlier is None:
            return Start(sensitivity=document)
        alike = same(bench, self.earlier.spec)
        taken = earlier.judged(self.earlier.trials, search, same=alike)
        sensitivities = 0
        if known is not None and found is not None:
            sensitivities = sum(len(options) for options in known.energies.values())
        return Start(
            sensitivity=document,
            trials=taken,
            taken=Taken(trials=len(taken), sensitivities=sensitivities),
        )


def source(engine: Engine, job_id: str, asked: Submission, *, ground: Mapping[str, str]) -> Source:
    """Return what the job starts from; `ground` is what its evaluations depend on.

    Raises EarlierJobUnusable.
    """
    kept = starts.kept(engine, job_id)
    if kept is not None or asked.from_job is None:
        return Source(kept=kept)
    try:
        found = starts.earlier(engine, asked.from_job, tenant=asked.tenant)
    except JobNotFound as error:
        raise EarlierJobUnusable(asked.from_job, "there is no such job any more") from error
    differing = [_difference(field, found.ground, now=now) for field, now in ground.items()]
    if any(differing):
        raise EarlierJobUnusable(found.id, ", ".join(filter(None, differing)))
    return Source(earlier=found)


def _difference(field: str, ground: Document | None, *, now: str) -> str:
    then = (ground or {}).get(field)
    if then == now:
        return ""
    # digests of what is behind the names would say nothing
    if field in ("model", "dataset"):
        return f"what is behind the name of its {field} has been replaced since"
    return f"its {field} is {then}, and here it is {now}"


def told(engine: Engine, job_id: str, asked: Submission) -> dict[str, Any]:
    """Return what the best document says of the start; nothing where there was no earlier job."""
    taken = jobs.outline(engine, job_id).taken
    if taken is None:
        return {}
    counts = {"trials": taken.trials, "sensitivities": taken.sensitivities}
    return {"from_job": asked.from_job, "taken": counts}


def same(bench: Workbench, before: JobSpec) -> Same:
    """Return what tells whether an option rounds now as it did for an earlier request.

    That request is one on the same network and images. Some quantizers are fitted with the other
    options or with given bounds in view, so the parameters themselves are compared.
    """
    now, then = bench.options, _fitted_for(before, bench)
    bounds = then.calibration.upper_bounds, now.calibration.upper_bounds
    widths = then.calibration.bit_widths, now.calibration.bit_widths

    @cache  # fitting a codebook takes a while
    def alike(point: str, option: QuantizerConfig) -> bool:
        if widths[0] == widths[1] and bounds[0].get(point) == bounds[1].get(point):
            return True
        one, other = (fits.parameters(point, option).describe() for fits in (then, now))
        return repr(one) == repr(other)

    return alike


def _fitted_for(job: JobSpec, bench: Workbench) -> FittedOptions:
    """Return the options as another request on the same network and images has them fitted."""
    offered = menus.of(job, bench.network)
    calibration = replace(
        bench.calibration,
        bit_widths=menus.bit_widths(offered),
        upper_bounds=menus.upper_bounds(job, offered),
    )
    return FittedOptions(calibration, bench.options.device)
