"""Many archives at once: bounded threads, and for each archive its own result, whatever happens to the others."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from constructs_pkg.errors import LambdaCodeSigningError
from constructs_pkg.signing.signed_object import SignedObject

__all__ = ["ArtifactResult", "sign_concurrently"]


@dataclass(frozen=True, slots=True)
class ArtifactResult:
    """What came of one archive: one of the two.

    Attributes:
        signed: The signed object.
        error: Why there is none: a `constructs_pkg.errors.SigningError` where it was refused, an
            `constructs_pkg.errors.AwsError` where AWS gave no answer.
    """

    signed: SignedObject | None
    error: LambdaCodeSigningError | None


def sign_concurrently(
    tasks: Sequence[Callable[[], SignedObject]],
    *,
    concurrency: int,
    stop: Callable[[], object],
    on_done: Callable[[], object],
) -> list[ArtifactResult]:
    """Run tasks in threads, and return their results in the order of the tasks.

    More threads than AWS Signer takes requests help while jobs are waited for; the pace of requests is not theirs.

    Args:
        tasks: Each signs one archive.
        concurrency: How many run at once.
        stop: Makes those that wait give up; called where the caller is interrupted.
        on_done: Called after each task, in its thread.
    """

    def run(task: Callable[[], SignedObject]) -> ArtifactResult:
        try:
            return ArtifactResult(task(), None)
        except LambdaCodeSigningError as error:
            return ArtifactResult(None, error)
        finally:
            on_done()

    with ThreadPoolExecutor(min(concurrency, len(tasks)) or 1, "signing") as executor:
        futures = [executor.submit(run, task) for task in tasks]
        try:
            return [future.result() for future in futures]
        except BaseException:
            for future in futures:
                future.cancel()
            stop()
            raise
