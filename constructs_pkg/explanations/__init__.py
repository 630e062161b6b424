"""What AWS's words about code signing mean and what to do about them: `explain`, without AWS and without a guess."""

from constructs_pkg.explanations.explaining import MAX_INPUT_BYTES, Explained, explain
from constructs_pkg.explanations.meaning import Explanation

__all__ = ["MAX_INPUT_BYTES", "Explained", "Explanation", "explain"]
