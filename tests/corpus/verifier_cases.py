"""The conformance corpus: every archive with its verdict, and the document that tells other programs the verdicts."""

import json

from tests.corpus.cms_cases import CHAIN_CASES, CMS_CASES, CmsCase
from tests.corpus.content_cases import CONTENT_CASES
from tests.corpus.corpus_case import FORMAT, OURS, CorpusCase
from tests.corpus.decision_cases import DECISION_CASES
from tests.corpus.differential_cases import DIFFERENTIAL_CASES
from tests.corpus.size_cases import LIMITS, SIZE_CASES

CORPUS_VERSION = 1

_FOLLOWS_FROM_THE_FORMAT = {
    None,
    "content_changed",
    "signature_invalid",
    "root_untrusted",
    "chain_invalid",
    "certificate_not_valid_at_signing",
    "leaf_is_ca",
    "leaf_key_usage",
    "leaf_extended_key_usage",
    "signer_key",
}
"""Findings that any verifier owes its users; the others refuse what AWS Signer was never seen to write."""


def _from(group: str, case: CmsCase) -> CorpusCase:
    findings = () if case.reason is None else (f"integrity: {case.reason}",)
    basis = FORMAT if case.reason in _FOLLOWS_FROM_THE_FORMAT else OURS
    return CorpusCase(f"{group}/{case.name}", case.archive, findings, basis)


CASES: tuple[CorpusCase, ...] = (
    *DECISION_CASES,
    *CONTENT_CASES,
    *(_from("envelope", case) for case in CMS_CASES),
    *(_from("chain", case) for case in CHAIN_CASES),
    *DIFFERENTIAL_CASES,
    *SIZE_CASES,
)
"""Every case, in groups; the names are unique."""


def expected_text() -> str:
    """Return ``expected.json`` as the cases state it: one line for each case."""
    head = {"version": CORPUS_VERSION, "limits": LIMITS}
    lines = ",\n".join("  " + json.dumps(case.document()) for case in CASES)
    return json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n"
