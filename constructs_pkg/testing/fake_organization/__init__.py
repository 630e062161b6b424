"""An organization in memory with clients shaped like boto3's, for tests of what reads many accounts.

It is our model of AWS, held against botocore's shapes: what passes here shows that the code is right, not that AWS is
so. ``docs/testing.md`` has an example.
"""

from constructs_pkg.testing.fake_organization.clients import Caller, FakeClient, FakeSession, Service
from constructs_pkg.testing.fake_organization.clock import SimulatedClock, SimulatedThreads
from constructs_pkg.testing.fake_organization.faults import RATES, Faults, ServiceAnswer
from constructs_pkg.testing.fake_organization.organization import LATENCIES, FakeOrganization
from constructs_pkg.testing.fake_organization.records import (
    ConfigRecord,
    EventRecord,
    FakeAccount,
    FunctionRecord,
    LayerRecord,
    MetricRecord,
    Place,
)
from constructs_pkg.testing.fake_organization.stack_records import FakeStackSet
from constructs_pkg.testing.fake_organization.stack_state import deploy_stack_set

__all__ = [
    "LATENCIES",
    "RATES",
    "Caller",
    "ConfigRecord",
    "EventRecord",
    "FakeAccount",
    "FakeClient",
    "FakeOrganization",
    "FakeSession",
    "FakeStackSet",
    "Faults",
    "FunctionRecord",
    "LayerRecord",
    "MetricRecord",
    "Place",
    "Service",
    "ServiceAnswer",
    "SimulatedClock",
    "SimulatedThreads",
    "deploy_stack_set",
]
