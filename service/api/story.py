"""The order in which the API is told: what it is for, and every operation in its place."""

from collections.abc import Mapping

DESCRIPTION = """
Hand in a trained network, data and a tolerance; fetch the allocation of bits that takes the least
memory while accuracy stays above the floor.

**From a network to its bits**, in the order of the sections below:

```sh
api=http://127.0.0.1:8765
auth="Authorization: Bearer $BITFLOOR_TOKEN"     # a service on loopback may ask for none

# 1. what the workers of this deployment can load
curl -H "$auth" $api/v1/models

# 2. submit a search: 202, and where the job is
curl -H "$auth" -H "Content-Type: application/json" -H "Idempotency-Key: build-1871" \\
     -d '{"model": "digits-vgg", "dataset": "digits", "tolerance": 0.02}' $api/v1/jobs

# 3. watch it: a state now, or events until it ends
curl -H "$auth" $api/v1/jobs/$id
curl -H "$auth" -N $api/v1/jobs/$id/events

# 4. the certified best allocation, and the report
curl -H "$auth" $api/v1/jobs/$id/best
curl -H "$auth" -o report.html $api/v1/jobs/$id/report
```

A submission may be repeated: with the same `Idempotency-Key` it is the same job. Lists come in
pages; pass `next` of one as `cursor` for the following. Every answer carries an `X-Request-Id`,
which the service's log has, too.

Every error is a problem document (RFC 9457): `type` ends in a stable code to branch on, `detail`
says in a sentence what to do, and `errors` names the fields.
"""

#: section -> what it is about, in the order in which a user needs them
TAGS: Mapping[str, str] = {
    "offers": "**1.** What a search can name: networks, images, quantizers and samplers that the "
    "workers of this deployment have announced.",
    "submit": "**2.** Ask for a search, change how soon it runs, or take it back.",
    "watch": "**3.** How jobs stand: a list, one job, its trials, or events as they happen.",
    "results": "**4.** What came of it: the certified best allocation, the Pareto front, a report.",
    "webhooks": "Have a server of yours told how a job ends, see what it answered, and tell it "
    "once more.",
    "service": "For whoever runs the service: is it there, is it ready, how is it doing. The first "
    "two need no token.",
}

#: operation -> its section and what it does in a few words, in the order in which a user needs them
OPERATIONS: Mapping[str, tuple[str, str]] = {
    "GET /v1/models": ("offers", "List models"),
    "GET /v1/datasets": ("offers", "List datasets"),
    "GET /v1/quantizers": ("offers", "List quantizers"),
    "GET /v1/samplers": ("offers", "List samplers"),
    "POST /v1/jobs": ("submit", "Submit a search"),
    "POST /v1/jobs/{job_id}/priority": ("submit", "Change a job's priority"),
    "POST /v1/jobs/{job_id}/cancel": ("submit", "Cancel a job"),
    "GET /v1/jobs": ("watch", "List jobs"),
    "GET /v1/jobs/{job_id}": ("watch", "Show a job"),
    "GET /v1/jobs/{job_id}/events": ("watch", "Follow a job's events"),
    "GET /v1/jobs/{job_id}/trials": ("watch", "List a job's trials"),
    "GET /v1/jobs/{job_id}/best": ("results", "Fetch the best allocation"),
    "GET /v1/jobs/{job_id}/front": ("results", "Fetch the Pareto front"),
    "GET /v1/jobs/{job_id}/report": ("results", "Fetch the report"),
    "GET /v1/jobs/{job_id}/deliveries": ("webhooks", "List a webhook's deliveries"),
    "POST /v1/jobs/{job_id}/deliveries/{delivery_id}/resend": ("webhooks", "Send one again"),
    "GET /livez": ("service", "Is the process alive?"),
    "GET /readyz": ("service", "Is the service ready?"),
    "GET /metrics": ("service", "Scrape the metrics"),
}
