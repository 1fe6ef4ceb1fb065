"""The Python client."""  # rule: init, because a user's import names the project

from service.answers import Best
from service.answers import Certification
from service.answers import Choice
from service.answers import Front
from service.answers import Job
from service.answers import Offers
from service.answers import Progress
from service.answers import Trial
from service.client import BitfloorClient as Client
from service.client_errors import ClientError
from service.client_errors import JobCancelled
from service.client_errors import JobEnded
from service.client_errors import JobFailed
from service.client_errors import JobInfeasible
from service.client_errors import NotBitfloor
from service.client_errors import Problem
from service.client_errors import Unreachable
from service.client_errors import WaitTimeout
from service.handle import JobHandle
from service.store.values import JobState

__all__ = [
    "Best",
    "Certification",
    "Choice",
    "Client",
    "ClientError",
    "Front",
    "Job",
    "JobCancelled",
    "JobEnded",
    "JobFailed",
    "JobHandle",
    "JobInfeasible",
    "JobState",
    "NotBitfloor",
    "Offers",
    "Problem",
    "Progress",
    "Trial",
    "Unreachable",
    "WaitTimeout",
]
