"""Codebooks: 2**b levels placed by k-means where the values are (Sun & Lin, §III-E).

k-means runs on the histogram's bins, weighted by their counts, not on the raw activations. The
bounded kind clips the data first, because "some large number" draws levels away from where most
values lie; the bound is fitted unless the request gives it.
"""

import functools

import numpy as np
from threadpoolctl import ThreadpoolController

from search.quantization.histogram import Counts
from search.quantization.histogram import Histogram
from search.quantization.histogram import Values
from search.quantization.quantizer import Calibration
from search.quantization.quantizer import Codebook
from search.quantization.quantizer import register

BOUNDED = "codebook_bounded"
#: shares of the values that a candidate bound keeps unclipped
BOUND_QUANTILES = (0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
_MAX_ITERATIONS = 50


@register(
    "codebook",
    summary="k-means levels, the whole range",
    keeps_zero=False,
    stores_codebook=True,
)
def fit(calibration: Calibration, point: str, *, bit_width: int) -> Codebook:
    """Return the k-means codebook of this point."""
    return fit_levels(calibration.histogram(point), bit_width, upper_bound=None)


@register(
    BOUNDED,
    summary="k-means levels below an upper bound, fitted or given; larger values take the top one",
    keeps_zero=False,
    stores_codebook=True,
)
def fit_bounded(calibration: Calibration, point: str, *, bit_width: int) -> Codebook:
    """Return the codebook with the given bound, else with that of the least mean absolute error.

    k-means itself minimizes the squared error, under which no bound would ever win; the absolute
    error weighs the rare large values less.
    """
    histogram = calibration.histogram(point)
    if point in calibration.upper_bounds:
        return fit_levels(histogram, bit_width, upper_bound=calibration.upper_bounds[point])
    candidates = [
        fit_levels(histogram, bit_width, upper_bound=bound) for bound in _bounds(histogram)
    ]
    return min(candidates, key=lambda c: histogram.absolute_error(c.quantize(histogram.centers)))


def fit_levels(histogram: Histogram, bit_width: int, *, upper_bound: float | None) -> Codebook:
    """Return the codebook of the values clipped at `upper_bound`."""
    centers, counts = histogram.centers, histogram.counts
    if upper_bound is not None:
        centers = np.minimum(centers, upper_bound)
    occupied = counts > 0
    levels = _k_means(centers[occupied], counts[occupied], clusters=2**bit_width)
    # nearest level of each bin; levels ascend, so thresholds are the midpoints
    assignment = np.searchsorted((levels[1:] + levels[:-1]) / 2, centers)
    used, assignment = np.unique(assignment, return_inverse=True)
    return Codebook(
        low=histogram.low,
        width=histogram.width,
        assignment=assignment.astype(np.uint16),
        levels=levels[used],
        upper_bound=upper_bound,
    )


def _k_means(values: Values, counts: Counts, *, clusters: int) -> Values:
    """Return the cluster centres, ascending; `values` ascend."""
    # loaded when something is to be fitted: a worker would start a second later
    from sklearn.cluster import KMeans  # noqa: PLC0415 - takes as long as all else of search

    distinct, index = np.unique(values, return_inverse=True)
    weights: Values = np.bincount(index, weights=counts).astype(np.float64)
    if len(distinct) <= clusters:
        return distinct
    start = _quantile_start(distinct, weights, clusters=clusters)
    # on so few values threads only wait for one another, seconds long on a busy machine
    with _thread_pools().limit(limits=1):
        fitted = KMeans(
            n_clusters=clusters,
            init=start[:, None],
            n_init=1,
            max_iter=_MAX_ITERATIONS,
            algorithm="lloyd",
        ).fit(distinct[:, None], sample_weight=weights)
    return np.unique(fitted.cluster_centers_[:, 0])


@functools.lru_cache(maxsize=1)  # looking for the loaded libraries takes milliseconds
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()


def _quantile_start(values: Values, weights: Values, *, clusters: int) -> Values:
    """Return starting centres spread by the cube root of the density, all different.

    The optimal density of levels goes with the cube root of the density of values (Panter & Dite
    1951), so this starts near the optimum and needs no randomness.
    """
    mass = np.cumsum(np.cbrt(weights))
    positions = (np.arange(clusters) + 0.5) / clusters * mass[-1]
    start = np.searchsorted(mass, positions)
    # at least one bin apart, without leaving the range
    start = np.maximum.accumulate(start - np.arange(clusters)) + np.arange(clusters)
    start = np.minimum(start, np.arange(len(values) - clusters, len(values)))
    chosen: Values = values[start]
    return chosen


def _bounds(histogram: Histogram) -> list[float | None]:
    """Return the bounds worth trying: none, and quantiles of the values above zero."""
    positive = np.where(histogram.centers > 0, histogram.counts, 0)
    mass = np.cumsum(positive)
    if mass[-1] == 0:
        return [None]
    at = np.searchsorted(mass, np.asarray(BOUND_QUANTILES) * mass[-1])
    return [None, *sorted({float(histogram.centers[i]) for i in at})]
