"""The proof's table: every request, in the order work, code, trust, escape."""

from tests.guardrails.asking import Row
from tests.guardrails.table_of_code import CODE_ATTACKS
from tests.guardrails.table_of_escape import (
    EXEMPT_ROLE_ATTACKS,
    GUARDRAIL_ATTACKS,
    ROLE_ATTACKS,
    SILENCING_ATTACKS,
    STACK_ATTACKS,
)
from tests.guardrails.table_of_trust import GRANT_ATTACKS, SURFACE_ATTACKS, TRUST_ATTACKS
from tests.guardrails.table_of_work import ACCOUNT_WORK, DAILY_WORK, ORDINARY, PIPELINE_WORK

ROWS: tuple[Row, ...] = (
    *DAILY_WORK,
    *ORDINARY,
    *PIPELINE_WORK,
    *ACCOUNT_WORK,
    *CODE_ATTACKS,
    *TRUST_ATTACKS,
    *SURFACE_ATTACKS,
    *GRANT_ATTACKS,
    *ROLE_ATTACKS,
    *GUARDRAIL_ATTACKS,
    *EXEMPT_ROLE_ATTACKS,
    *STACK_ATTACKS,
    *SILENCING_ATTACKS,
)
