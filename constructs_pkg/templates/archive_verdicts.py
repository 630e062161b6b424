"""Verdicts on archives in files: each different content is judged once for each policy, however many files hold it."""

import hashlib
import io
from datetime import datetime
from pathlib import Path

from constructs_pkg.errors import ArchiveError
from constructs_pkg.signing.archive import DEFAULT_LIMITS
from constructs_pkg.signing.policy import CodeSigningPolicy
from constructs_pkg.signing.report import VerificationReport
from constructs_pkg.signing.verifier import verify_archive

__all__ = ["ArchiveVerdicts"]


class ArchiveVerdicts:
    """A memory of verdicts, which several assemblies may share.

    A path is read once, and its verdict is on the very bytes that were read: what is written there afterwards is not
    noticed. Make a new one for every run.
    """

    def __init__(self) -> None:
        self._digests: dict[str, str] = {}
        self._reports: dict[tuple[object, ...], tuple[VerificationReport, CodeSigningPolicy]] = {}

    @property
    def archive_count(self) -> int:
        """Return how many different archives were judged."""
        return len({key[0] for key in self._reports})

    def report_on(self, path: str, name: str, policy: CodeSigningPolicy, at: datetime) -> VerificationReport | None:
        """Return the verifier's report on an archive; None where it cannot be read.

        Args:
            path: The file.
            name: What the report calls it; of several files with one content, the first one's.
            policy: Whom to trust.
            at: The moment of the deployment, aware.

        Raises:
            PolicyError: No verdict can be reached with this policy.
        """
        # The parts of the policy that the verdict depends on; roots and revocations are the same objects throughout a
        # run, and are kept alive with the report, so that their ids stay theirs.
        judged_by = (policy.allowed_publishers, policy.mode, id(policy.trust), id(policy.revocations), at)
        digest = self._digests.get(path)
        known = self._reports.get((digest, *judged_by))
        if known is not None:
            return known[0]
        try:
            with Path(path).open("rb") as file:
                data = file.read(DEFAULT_LIMITS.max_archive_bytes + 1)
        except (OSError, ValueError):
            return None
        digest = self._digests[path] = hashlib.sha256(data).hexdigest()
        known = self._reports.get((digest, *judged_by))
        if known is None:
            try:
                known = (verify_archive(io.BytesIO(data), policy, at, artifact=name), policy)
            except ArchiveError:
                return None
            self._reports[digest, *judged_by] = known
        return known[0]
