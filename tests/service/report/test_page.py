"""The report's words: what the page says of a job in each state, and that it stays harmless."""

import re
from dataclasses import replace

import pytest

from search.allocation import QuantizationPoint
from search.pareto import hypervolume
from search.rules import PointRule
from search.spec import DEFAULT_BUDGET
from search.spec import JobSpec
from search.trial import Verdict
from service.report.frame import embedded
from service.report.page import render
from service.store.values import JobState
from service.store.values import Setup
from service.store.values import Submission
from tests.service.report import front_samples
from tests.service.report import samples

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def visible(page: str) -> str:
    """Return the page's text without scripts, styles and tags."""
    body = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"<[^>]+>", " ", body).replace("\N{NO-BREAK SPACE}", " ")


class TestCertified:
    def test_the_verdict_tells_evidence_and_comparison(self) -> None:
        text = visible(render(*samples.succeeded()))
        assert "Certified: " in text
        assert "1,000 images that the search never saw" in text
        assert "93.80 %: 1.60 points below the float model (95.40 %)" in text
        assert "floor of 93.40 %" in text
        assert "With 95 % confidence the drop on images of this kind is at most 1.75 points" in text
        assert "same images, though larger: trial 89 (87.5 % saved)." in text
        assert "Refuted on the same images, though smaller: trial 90 (87.5 % saved)." in text
        assert "affine at 5 bits everywhere, saves 84.0 %" in text

    def test_the_gap_to_the_images_the_search_saw_is_told(self) -> None:
        job, *rest = samples.succeeded()
        text = visible(render(job, *rest))
        assert "0.20 points more than on the images that the search saw" in text
        assert "at most 1.75 points (p = 0.032)" in text
        assert "not decided on so few images: trial 91 (87.5 % saved; about 2,400 images" in text

    @pytest.mark.parametrize(
        "gap, told",
        [(0.002, "0.20 points more than"), (-0.01, "1.00 points less"), (0.0, "as large as")],
    )
    def test_the_gap_has_a_direction(self, gap: float, told: str) -> None:
        job, found, best = samples.succeeded()
        document = samples.best_document(best[0].result)
        document["certification"]["gap"] = gap
        assert f"Its drop there is {told}" in visible(
            render(replace(job, result=document), found, best)
        )

    def test_what_an_earlier_release_certified_is_still_told(self) -> None:
        job, found, best = samples.succeeded()
        document = samples.best_document(best[0].result)
        certification = document["certification"]
        for younger in ("gap", "judgement", "p_value", "others"):
            del certification[younger]
        text = visible(render(replace(job, result=document), found, best))
        assert "is at most 1.75 points." in text

    def test_who_proposed_what_is_counted(self) -> None:
        job, found, best = samples.succeeded()
        text = visible(render(job, found, best))
        results = [stored.result for stored in found]
        own = [result for result in results if result.origin == "frontier"]
        images = sum(result.hits.images for result in own)
        held = sum(result.feasible for result in own)
        assert re.search(rf"frontier\s+{len(own)}\s+{held}\s+{images:,}\s+", text)
        every = sum(result.hits.images for result in results)
        assert f"120 trials evaluated {every:,} images, as many as {every / 1000:.1f} full" in text

    def test_another_metric_is_called_by_its_name(self) -> None:
        job, *rest = samples.succeeded()
        counted = replace(job, result={**(job.result or {}), "metric": "top5"})
        assert "never saw, top-5 accuracy is 93.80 %" in visible(render(counted, *rest))

    def test_every_layer_is_in_the_table(self) -> None:
        page = render(*samples.succeeded())
        for point in samples.POINTS:
            assert f'<th scope="row" class="name">{point.name}</th>' in page

    def test_every_layer_has_its_histogram_with_levels(self) -> None:
        page = render(*samples.succeeded())
        assert page.count('class="multiple"') == len(samples.POINTS)
        assert 'class="levels"' in page


class TestWeights:
    def test_they_stand_apart_from_activations(self) -> None:
        page = render(*samples.both())
        captions = re.findall(r"<caption>(.*?)</caption>", page)
        assert "All activations, in network order" in captions
        assert "All weights, in network order" in captions
        weights = page.partition("All weights, in network order</caption>")[2]
        table = weights.partition("</table>")[0]
        named = re.findall(r'<th scope="row" class="name">(.*?)</th>', table)
        assert named == [*(point.name for point in samples.WEIGHTS), "all layers"]

    def test_they_have_histograms_of_their_own(self) -> None:
        page = render(*samples.both())
        activations, weights = page.split('id="weight-levels"')
        assert activations.count('class="multiple"') == len(samples.POINTS)
        assert weights.count('class="multiple"') == len(samples.WEIGHTS)

    def test_what_is_stored_once_is_not_said_to_be_per_image(self) -> None:
        text = visible(render(*samples.both()))
        assert "of the total memory saved" in text
        assert "in float32" in text
        assert "B an image" not in text.partition("Memory against accuracy")[0]


class TestWholeFront:
    """The page of a search for the front."""

    def test_it_tells_the_share_of_the_box_and_which_trials_held(self) -> None:
        job, found, front = front_samples.searched()
        text = visible(render(job, found, front))
        share = hypervolume(
            [stored.result for stored in front],
            baseline=samples.BASELINE,
            float_cost=samples.setup().float_bits,
        )
        assert f"dominate {100 * share:.1f} % of the box from 47.7 % accuracy" in text
        assert f"{len(front)} allocations are dominated by no other" in text
        row = front[0].result
        assert row.verdict is Verdict.MISSED
        assert f"{100 * row.hits.drop:.2f} %  missed" in text
        assert "stops as soon as one that takes no more memory" in text

    def test_that_of_a_search_for_the_floor_tells_neither(self) -> None:
        text = visible(render(*samples.succeeded()))
        assert "of the box" not in text
        assert "missed" not in text


class TestOtherStates:
    def test_an_infeasible_job_tells_the_closest_and_whom_to_blame(self) -> None:
        text = visible(render(*samples.infeasible()))
        assert "No allocation held the accuracy floor" in text
        assert "1.30 points short of the floor of 93.40 %" in text
        assert "features.6 (1.10 points) and features.0 (0.20 points)" in text
        assert "features.3 (0.00 points)" not in text
        assert "the closest allocation" in text

    def test_one_that_too_few_images_could_certify_is_not_called_short(self) -> None:
        job, found, best = samples.infeasible()
        document = samples.undecided_document(found[0].result)
        text = visible(render(replace(job, result=document), found, best))
        assert "No allocation could be certified" in text
        assert "would take about 2,400 images" in text
        assert "0.20 points above the floor" in text

    def test_a_running_job_shows_how_far_it_is(self) -> None:
        found = samples.trials(30)
        best = samples.front(found)
        text = visible(render(samples.job(JobState.RUNNING, found=found), found, best))
        assert "Still running: searching" in text
        assert f"After 30 of {DEFAULT_BUDGET} trials" in text
        assert "the best so far" in text

    def test_a_running_job_without_trials_is_a_page_too(self) -> None:
        text = visible(render(samples.job(JobState.RUNNING), (), ()))
        assert "no allocation at or above the floor has been found yet" in text
        assert "Activations" in text

    @pytest.mark.parametrize(
        "state, told",
        [(JobState.QUEUED, "Waiting for a worker"), (JobState.CANCELLED, "was cancelled")],
    )
    def test_other_states_are_told(self, state: JobState, told: str) -> None:
        assert told in visible(render(samples.job(state), (), ()))

    def test_a_failed_job_tells_the_cause(self) -> None:
        text = visible(render(samples.failed(), (), ()))
        assert "Cannot capture this network: aten::lstm" in text


class TestRules:
    RULES = (
        ("features.0", PointRule(bit_widths=(8, 4), quantizers=("affine",))),
        ("features.1*", PointRule(exclude=True)),
        ("features.12", PointRule(exclude=False)),
        ("classifier*", PointRule(upper_bound=6.5)),
    )

    def test_rules_are_told_among_what_was_asked_for(self) -> None:
        spec = replace(samples.succeeded()[0].submission.spec, points=self.RULES)
        job, found, best = samples.succeeded()
        text = visible(render(replace(job, submission=Submission(spec=spec)), found, best))
        assert re.search(r"rule features\.0\s+8, 4; affine", text)
        assert re.search(r"rule features\.1\*\s+float32", text)
        assert re.search(r"rule features\.12\s+quantized", text)
        assert re.search(r"rule classifier\*\s+upper bound 6\.5", text)

    def test_what_was_minimized_is_named(self) -> None:
        job, found, best = samples.succeeded()
        document = samples.best_document(best[0].result)
        document["objective"] = "peak_activation_memory"
        text = visible(render(replace(job, result=document), found, best))
        assert re.search(r"Certified: \S+ % of the peak activation memory saved", text)

    def test_the_job_that_answered_is_named(self) -> None:
        job, found, best = samples.succeeded()
        assert "answered from job" not in visible(render(job, found, best))
        text = visible(render(replace(job, answered_by="0199f3a2-5b7e"), found, best))
        assert re.search(r"answered from job\s+0199f3a2-5b7e", text)

    def test_a_uniform_allocation_with_exceptions_does_not_pass_for_one_everywhere(self) -> None:
        job, found, best = samples.succeeded()
        document = samples.best_document(best[0].result)
        document["uniform"]["exceptions"] = ["features.0", "features.3"]
        text = visible(render(replace(job, result=document), found, best))
        assert "at 5 bits everywhere but at 2 points that lack it, saves" in text


class TestHarmless:
    def test_no_name_becomes_markup(self) -> None:
        points = (QuantizationPoint(EVIL, 100), QuantizationPoint("plain", 50))
        found = samples.trials(40, points=points)
        best = samples.front(found)
        spec = JobSpec(model=EVIL, dataset=EVIL, tolerance=0.02, quantizers=(EVIL,))
        document = samples.best_document(best[0].result, points=points)
        for point in document["points"]:
            point["quantizer"] = EVIL
        document["uniform"]["quantizer"] = EVIL
        found = tuple(
            replace(stored, result=replace(stored.result, origin=EVIL)) for stored in found
        )
        job = samples.job(
            JobState.SUCCEEDED,
            found=found,
            result=document,
            submission=Submission(spec=spec, labels={EVIL: EVIL}),
            setup=Setup(
                baseline=samples.BASELINE, points=points, histograms=samples.histograms(points)
            ),
        )
        page = render(job, found, best)
        assert page.count("<script") == 3
        assert "<img" not in page.partition("<script")[0]

    def test_embedded_data_cannot_end_its_element(self) -> None:
        assert "<" not in embedded([EVIL])
        assert ">" not in embedded([EVIL])

    def test_nothing_is_loaded_from_elsewhere(self) -> None:
        page = render(*samples.succeeded())
        head = page.partition("<script")[0]
        assert "default-src &#x27;none&#x27;" in head or "default-src 'none'" in head
        assert not re.findall(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=", page)

    def test_many_trials_are_thinned_out_and_counted(self) -> None:
        job, found, best = samples.succeeded(20_000)
        page = render(job, found, best)
        assert len(page) < 8_000_000
