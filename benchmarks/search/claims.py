"""What is claimed of a search against the others, from the lines of a benchmark.

All figures are per case, medians over seeds. A method that holds nothing has reached the float
network; one of which nothing is certified has certified no memory at all.
"""

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from statistics import median
from typing import Any

Line = Mapping[str, Any]

EVALUATIONS = 200  # of TPE, in claim 1
#: most images, as a share of the rival's, to reach the rival's memory
SHARE_OF_TPE, SHARE_OF_GREEDY = 1 / 40, 1 / 25
#: full passes -> most certified memory, relative to the smallest that anybody certified
EXCESS = {8: 1.03, 20: 1.01}
#: whose certified memory is never exceeded
BARS = ("uniform", "solver", "lin")


def latest(lines: Iterable[Line]) -> list[Line]:
    """Return the last line of every case, seed and method."""
    return [*{(line["case"], line["seed"], line["method"]): line for line in lines}.values()]


def summary(
    lines: Sequence[Line], *, ours: str, simulated: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the medians of every method and the claims about one of them."""
    named = dict.fromkeys(line["case"] for line in lines)
    claims = [claim for case in named for claim in _claims(_by_seed(lines, case), case, ours)]
    return {
        "ours": ours,
        "cases": {case: _medians([x for x in lines if x["case"] == case]) for case in named},
        "claims": claims + ([dict(simulated)] if simulated else []),
    }


def reached(line: Line, memory: float) -> float:
    """Return after how many images something held in at most this memory; infinity: never."""
    found: float = next((images for images, bits in line["trace"] if bits <= memory), math.inf)
    return found


def best(line: Line, *, images: float = math.inf) -> float:
    """Return the least memory that held within so many images, at worst the float network's."""
    found = [bits for seen, bits in line["trace"] if seen <= images]
    return float(found[-1] if found else line["float_memory_bits"])


def certified(line: Line) -> float:
    """Return the certified memory; infinity if there is none."""
    return _bits(line["certified"])


def smallest(by_method: Mapping[str, Line]) -> float:
    """Return the smallest memory that any method certified, in the end or at a checkpoint."""
    answers = [
        answer
        for line in by_method.values()
        for answer in (line["certified"], *line["checkpoints"].values())
    ]
    return min(map(_bits, answers))


def _bits(answer: Mapping[str, Any]) -> float:
    bits = answer["memory_bits"]
    return math.inf if bits is None else float(bits)


def _by_seed(lines: Iterable[Line], case: str) -> list[Mapping[str, Line]]:
    found: dict[int, dict[str, Line]] = {}
    for line in lines:
        if line["case"] == case:
            found.setdefault(line["seed"], {})[line["method"]] = line
    return [*found.values()]


def _claims(seeds: Sequence[Mapping[str, Line]], case: str, ours: str) -> list[dict[str, Any]]:
    mine = [by_method for by_method in seeds if ours in by_method]
    with_tpe = [by_method for by_method in mine if "tpe" in by_method]
    with_greedy = [by_method for by_method in mine if "greedy" in by_method]
    told = [
        _claim(1, f"images to reach TPE's memory after {EVALUATIONS} evaluations, of TPE's")
        | _judged([_of_tpe(s[ours], s["tpe"]) for s in with_tpe], SHARE_OF_TPE),
        _claim(2, "images to reach the greedy method's memory, of the greedy method's")
        | _judged([_of_all(s[ours], s["greedy"]) for s in with_greedy], SHARE_OF_GREEDY),
        *(
            _claim(3, f"certified memory after {passes} passes, of the smallest anybody certified")
            | _judged([_excess(s, ours, passes) for s in mine], most)
            for passes, most in EXCESS.items()
        ),
        _claim(4, f"certified memory beyond that of {', '.join(BARS)}, in cases of seed and bar")
        | _judged([sum(_beyond(s, ours)) for s in mine], 0, of=max),
    ]
    return [{"case": case} | claim for claim in told if claim["seeds"]]


def _claim(number: int, says: str) -> dict[str, Any]:
    return {"claim": number, "says": says}


def _judged(figures: Sequence[float], most: float, *, of: Any = median) -> dict[str, Any]:
    """Return the figure and whether it is at most the target; None stands for infinity."""
    figure = of(figures) if figures else math.inf
    return {
        "figure": _json(figure),
        "target": most,
        "held": bool(figures) and figure <= most,
        "seeds": len(figures),
        "every": [_json(value) for value in figures],
    }


def _of_tpe(ours: Line, tpe: Line) -> float:
    images = tpe["images"]["setup"] + EVALUATIONS * tpe["images_per_pass"]
    return reached(ours, best(tpe, images=images)) / float(images)


def _of_all(ours: Line, other: Line) -> float:
    images = other["images"]
    spent = float(images["setup"] + images["other"] + images["trials"])
    return reached(ours, best(other)) / spent


def _excess(by_method: Mapping[str, Line], ours: str, passes: int) -> float:
    least = smallest(by_method)
    mine = _bits(by_method[ours]["checkpoints"][str(passes)])
    # nobody certified anything: nor do we need to
    return mine / least if math.isfinite(least) else 1.0


def _beyond(by_method: Mapping[str, Line], ours: str) -> list[bool]:
    mine = certified(by_method[ours])
    return [mine > certified(by_method[bar]) for bar in BARS if bar in by_method]


def _medians(lines: Sequence[Line]) -> dict[str, Any]:
    """Return what each method came to, in bits per value and full passes."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line["method"], []).append(line)
    return {method: _median(mine) for method, mine in found.items()}


def _median(lines: Sequence[Line]) -> dict[str, Any]:
    bits = [certified(line) / line["values"] for line in lines]
    gaps = [gap for line in lines if (gap := line["certified"]["gap"]) is not None]
    return {
        "seeds": len(lines),
        "searched_bits": median(best(line) / line["values"] for line in lines),
        "certified_bits": _json(median(bits)),
        "certified_bits_range": [_json(min(bits)), _json(max(bits))],
        "certified": sum(map(math.isfinite, bits)),
        "gap": median(gaps) if gaps else None,
        "trials": median(line["trials"] for line in lines),
        "passes": median(line["images"]["total"] / line["images_per_pass"] for line in lines),
        "seconds": median(line["seconds"] for line in lines),
    }


def _json(value: float) -> float | None:
    return value if math.isfinite(value) else None
