"""The values of an explanation, and how a message is recognised whatever a terminal did to its white space."""

import re
from dataclasses import dataclass

__all__ = ["Explanation", "Meaning", "compact", "compact_pattern"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one message means, and what to do.

    Attributes:
        code: The stable name of the explanation, such as ``signature_not_accepted``.
        title: What happened, in one line.
        meaning: Why it happened, in a few sentences.
        remedies: What to do, in this order; at least one.
        subject: The function, layer, action or ARN that the message names; empty where it names none.
        source: Where the fact comes from.
    """

    code: str
    title: str
    meaning: str
    remedies: tuple[str, ...]
    subject: str
    source: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the table: how a message is recognised and what it means.

    Attributes:
        code: The stable name.
        patterns: All of them must be found, in a text without white space. A group named ``subject`` says what the
            message is about.
        title: What happened.
        meaning: Why.
        remedies: What to do.
        source: Where the fact comes from.
        yields_to: The codes of more exact explanations, next to which this one adds nothing.
    """

    code: str
    patterns: tuple[re.Pattern[str], ...]
    title: str
    meaning: str
    remedies: tuple[str, ...]
    source: str
    yields_to: frozenset[str] = frozenset()

    def read(self, compact_text: str) -> tuple[Explanation, ...]:
        """Return one explanation for each thing that the text names, one without a name, or none.

        Args:
            compact_text: The text, after `compact`.
        """
        subjects: dict[str, None] = {}
        for pattern in self.patterns:
            matches = list(pattern.finditer(compact_text))
            if not matches:
                return ()
            if "subject" in pattern.groupindex:
                subjects.update(dict.fromkeys(match["subject"] or "" for match in matches))
        named = [subject for subject in subjects if subject] or [""]
        return tuple(self.about(subject) for subject in named)

    def about(self, subject: str) -> Explanation:
        """Return the explanation for one subject, which may be empty."""
        return Explanation(self.code, self.title, self.meaning, self.remedies, subject, self.source)


def compact(text: str) -> str:
    """Remove all white space, so that a message that a terminal broke in the middle of a word still reads the same.

    Args:
        text: Any text; the event tables of CloudFormation and SAM wrap long messages at the width of a column.
    """
    return "".join(text.split())


def compact_pattern(message: str, then: str = "") -> re.Pattern[str]:
    """Compile a message as AWS writes it into a pattern for `compact` text, blind to upper and lower case.

    Args:
        message: The message, taken literally.
        then: A regular expression for what follows it, itself for text without white space.
    """
    return re.compile(re.escape(compact(message)) + then, re.IGNORECASE)
