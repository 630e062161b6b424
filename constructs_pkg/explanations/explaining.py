"""From a text or a record to its explanations; what is not recognised is said to be so."""

from dataclasses import dataclass

from constructs_pkg.explanations.denials import explain_denials
from constructs_pkg.explanations.lambda_messages import LAMBDA_MEANINGS
from constructs_pkg.explanations.meaning import Explanation, compact
from constructs_pkg.explanations.records import statements_of
from constructs_pkg.explanations.signer_messages import SIGNER_MEANINGS
from constructs_pkg.explanations.wrong_arns import explain_wrong_arns

__all__ = ["MAX_INPUT_BYTES", "Explained", "explain"]

MAX_INPUT_BYTES = 1024 * 1024
"""The most of an input that is read, in bytes of UTF-8."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation and where in the input it comes from.

    Attributes:
        origin: The record, such as the logical id of a CloudFormation resource; empty for plain text.
        explanation: What it means.
    """

    origin: str
    explanation: Explanation


def explain(text: str) -> tuple[Explained, ...]:
    """Say what a message or record of AWS about code signing means.

    Recognises messages of Lambda, Signer and CloudFormation in plain text, however a terminal wrapped them, and in
    JSON: CloudTrail records, CloudFormation events, EventBridge events, output of the AWS CLI. Guesses nothing: a text
    that says nothing known about code signing gives no explanation. Does *not* ask AWS anything.

    Args:
        text: The message or the records, at most `MAX_INPUT_BYTES` long; the caller sees to that.

    Returns:
        One explanation for each thing that is said, in the order of the input, without repetitions; empty where nothing
        is recognised.
    """
    found: dict[Explained, None] = {}
    for statement in statements_of(text):
        for explanation in _explanations(statement.text):
            found[Explained(statement.origin, explanation)] = None
    return tuple(found)


def _explanations(text: str) -> tuple[Explanation, ...]:
    tight = compact(text)
    read = [(meaning, meaning.read(tight)) for meaning in (*LAMBDA_MEANINGS, *SIGNER_MEANINGS)]
    codes = {meaning.code for meaning, explanations in read if explanations}
    messages = [item for meaning, explanations in read if not meaning.yields_to & codes for item in explanations]
    return (*messages, *explain_denials(tight), *explain_wrong_arns(text))
