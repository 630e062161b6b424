"""What a local AWS does, each behaviour with where we know it from; no row is proof about AWS.

``docs/local-aws.md`` has the same table, which a test compares.
"""

from constructs_pkg.testing.local_aws.cloudformation.behaviours import BEHAVIOURS as CLOUDFORMATION
from constructs_pkg.testing.local_aws.cloudformation.behaviours import Origin

__all__ = ["BEHAVIOURS", "Origin", "markdown_table"]

_SIGNER: tuple[tuple[str, Origin, str], ...] = (
    ("A signing profile's name can be used once, for ever", "documented", "PutSigningProfile; see live check 1"),
    (
        "A signature's validity is 1 day to 135 months, 135 months where none is given",
        "documented",
        "PutSigningProfile",
    ),
    ("A cancelled profile signs nothing; what it signed stays valid", "documented", "CancelSigningProfile"),
    ("Another account signs only with a profile permission", "documented", "AddProfilePermission"),
    ("StartSigningJob reads one version of an object in S3", "documented", "StartSigningJob"),
    ("The signed object is named after the job, below the prefix, with .zip", "observed on AWS", "MiniStack's records"),
    ("A repeated clientRequestToken returns the first job", "documented", "StartSigningJob"),
    ("An empty, malformed or already signed archive makes the job fail", "observed on AWS", "public reports"),
    (
        "The form of the signature, its hash and its signed attributes",
        "observed on AWS",
        "artifacts in public material",
    ),
    ("The certificates and their root are a local authority's", "our model", "nobody but AWS has AWS Signer's keys"),
    ("Signing is finished when StartSigningJob answers", "our model", "AWS takes seconds"),
    ("RevokeSignature revokes one job, for good", "documented", "RevokeSignature"),
    ("RevokeSigningProfile revokes what was signed from the effective time on", "documented", "RevokeSigningProfile"),
    ("A finished job is told to EventBridge", "documented", "Signer guide: Signer Job Status Change"),
    ("GetRevocationStatus refuses the platform of Lambda", "documented", "Signer guide"),
    ("A revocation's effective time lies in the past and moves earlier, never later", "documented", "Signer guide"),
    ("A signature made in the very moment of the effective time is revoked", "our model", "AWS says 'after'"),
    ("A revocation counts at the next deployment, without delay", "our model", "AWS names no delay"),
    ("A revoked profile cannot be cancelled", "our model", "not documented"),
    ("A repeated clientRequestToken with another request is refused", "our model", "as other AWS APIs"),
    ("A missing source or destination fails the job; the reason is in our words", "our model", "not recorded"),
    ("A source bucket without versions fails the job", "our model", "AWS demands versions; its answer is not recorded"),
    ("jobOwner is the profile's owner, jobInvoker who called; both see the job", "documented", "DescribeSigningJob"),
    ("The job's event comes once, at its end, to both accounts", "our model", "whether InProgress is told is unknown"),
    ("Platforms other than AWS Lambda are refused", "our model", "not built"),
    ("Requests beyond the rate limits are refused at once, without bursts", "our model", "bursts are not documented"),
)
_LAMBDA: tuple[tuple[str, Origin, str], ...] = (
    (
        "Checks in this order: integrity, mismatch, expiry, revocation; the first failure ends them",
        "documented",
        "guide",
    ),
    ("Code that fails integrity is refused under Enforce and Warn alike", "observed on AWS", "public reports"),
    ("Unsigned, foreign, expired and revoked code is refused under Enforce", "observed on AWS", "public reports"),
    ("Under Warn, it is accepted and counted in SignatureValidationErrors", "observed on AWS", "public reports"),
    ("The two messages of CodeVerificationFailedException", "observed on AWS", "public reports"),
    ("signatureStatus VALID, MISMATCH, EXPIRED or REVOKED in CloudTrail's record", "observed on AWS", "public reports"),
    (
        "signatureStatus stands flat in additionalEventData",
        "observed on AWS",
        "one public record, of PublishLayerVersion20181031; of functions see live check A3",
    ),
    (
        "It is the first that is not VALID, is left out where integrity fails, and has the signer beside it",
        "our model",
        "see live checks 6 and A3",
    ),
    ("UpdateFunctionCode with DryRun is checked", "observed on AWS", "public reports"),
    ("Publishing a layer checks nothing; taking it on does, for every layer", "observed on AWS", "public reports"),
    ("Container images are refused under a config", "documented", "Lambda guide: images are not supported"),
    ("A config may name profile versions that do not exist", "observed on AWS", "public reports"),
    ("UpdateCodeSigningConfig with empty policies leaves the policy", "observed on AWS", "public reports"),
    ("A config that a function uses cannot be deleted", "documented", "DeleteCodeSigningConfig"),
    ("GetFunctionCodeSigningConfig refuses a version or alias", "observed on AWS", "public reports"),
    ("Expiry and revocation come with the message of the mismatch", "our model", "their text was not recorded"),
    ("A refusal names the first artifact at fault, the function before its layers", "our model", "order unknown"),
    ("UpdateFunctionCode does not check layers that are attached already", "our model", "not documented"),
    ("UpdateFunctionConfiguration checks the layers it names, not the code", "documented", "Lambda guide"),
    ("Each warned artifact of a deployment counts one in the metric", "our model", "not recorded for layers"),
    ("Signed functions and layers show profile and job, with a config or without", "our model", "members documented"),
    ("A tampered or unsigned layer shows no signer", "observed on AWS", "public reports"),
    ("A function takes only a config of its own account and Region", "our model", "see the open questions on ARNs"),
    ("A publisher that is no ARN of a profile version is refused", "our model", "the API's pattern admits any ARN"),
    ("A function without a config shows an empty ARN", "observed on AWS", "MiniStack's records"),
    ("A layer that nobody here holds is refused under a config", "our model", "its signature cannot be checked"),
    ("A signature of the real AWS Signer fails integrity", "our model", "its root is not trusted here"),
)
_IAM: tuple[tuple[str, Origin, str], ...] = (
    (
        "lambda:CodeSigningConfigArn is filled in for CreateFunction and PutFunctionCodeSigningConfig alone",
        "documented",
        "service authorization reference; Lambda's guide differs, see live check 5",
    ),
    ("signer:ProfileVersion is filled in for the actions on profiles", "documented", "service authorization reference"),
    ("PutFunctionCodeSigningConfig is checked on function and config", "documented", "service authorization reference"),
    ("CreateFunction and UpdateFunctionConfiguration need iam:PassRole", "documented", "IAM guide"),
    (
        "GetParametersByPath is checked on its path, several parameters or alarms on each name",
        "documented",
        "service authorization reference; API reference, GetParametersByPath",
    ),
    ("The ARN of a rule does not name the default bus", "documented", "service authorization reference"),
    ("A request about a role is checked on its ARN with the path", "documented", "service authorization reference"),
    (
        "What CloudFormation does for a stack is not authorized: no policy binds it, service control policies neither",
        "our model",
        "on AWS the caller's rights decide, or those of the stack's role",
    ),
    ("Tags of functions, configs and profiles are condition keys", "documented", "service authorization reference"),
    ("The guardrails' SCPs are attached to the declared units from the start", "our model", "a convenience"),
    (
        "AWS Organizations lists accounts and units for the management and the security account alone",
        "documented",
        "botocore, model of organizations",
    ),
    ("SCPs bind every account but the management account, root users too", "documented", "Organizations guide"),
    ("Variables such as ${aws:PrincipalAccount} are filled in within SCPs", "our model", "see live check 10"),
    ("aws:PrincipalArn of a session is its role's ARN", "documented", "IAM guide, global condition keys"),
    ("aws:SecureTransport is true, though nothing is encrypted", "our model", "loopback has no TLS"),
    (
        "S3: a copy's source is checked, s3:if-none-match is filled in, roles of other accounts meet a bucket's policy",
        "documented",
        "service authorization reference; S3 guide, 'Required permissions'",
    ),
    ("An access key of 12 digits is that account's root user", "our model", "no such thing on AWS"),
    ("The clock moves forward on request", "our model", "no such thing on AWS"),
)

_STEP_FUNCTIONS: tuple[tuple[str, Origin, str], ...] = (
    (
        "Stopping an execution ends the children of its distributed maps before their next task",
        "documented",
        "Step Functions guide, 'Viewing a Distributed Map Run execution'; when exactly is our model",
    ),
    (
        "Step Functions' aws-sdk tasks of S3, Signer and Step Functions call the API as the state machine's role",
        "documented",
        "Step Functions guide, 'AWS SDK service integrations'",
    ),
    (
        "Their members are those of the API's model with a capital letter, their errors those of the SDK for Java",
        "our model",
        "the guide's rule; not compared for each service",
    ),
    (
        "A pipe hands batches of a queue to a state machine; a batch whose Express execution fails is received again",
        "documented",
        "EventBridge guide, 'Pipes error handling'",
    ),
    (
        "A pipe carries one batch at a time",
        "our model",
        "AWS does so for one message group of a FIFO queue; elsewhere it is faster",
    ),
    (
        "Lambda takes code from another account's bucket where its policy lets the caller read",
        "documented",
        "Lambda guide",
    ),
    (
        "CloudFormation takes a template from there, too; the caller's own policies are not asked",
        "our model",
        "on AWS the caller's rights decide (CloudFormation guide); see live check D16",
    ),
    ("CopyObject with If-None-Match never replaces an object", "documented", "CopyObject"),
    (
        "CopyObject computes the checksum that is asked for from the bytes of the copy",
        "our model",
        "documented for objects up to 5 GB; unconfirmed where the source was a multipart upload",
    ),
)

_EVENTS: tuple[tuple[str, Origin, str], ...] = (
    (
        "EventBridge is told of calls that change or attach code signing configs, and of CreateFunction, by CloudTrail",
        "documented",
        "EventBridge user guide, 'AWS service events delivered via AWS CloudTrail'",
    ),
    (
        "Every account has a trail; calls that IAM refuses, and CloudFormation's own, make no such event",
        "our model",
        "AWS tells of both, and only where a trail logs management events",
    ),
    (
        "The event of CreateFunction has the API's date in its name, those of calls on configs have none",
        "documented",
        "Lambda guide, 'Logging Lambda API calls using CloudTrail'; it lists Put, Update and Delete: see live check R2",
    ),
    (
        "A rule sends events to a bus of another account as the target's role; the bus's policy has to let it in",
        "documented",
        "EventBridge user guide, 'Sending and receiving events between AWS accounts'; trust policies are not read here",
    ),
    (
        "An event that came from another bus is sent on to no third one",
        "documented",
        "EventBridge user guide, same page, and for buses of one account 'Sending events between event buses'",
    ),
    (
        "A forwarded event keeps the account and the Region that it comes from",
        "our model",
        "documented for the account",
    ),
    (
        "Rules and schedules start a state machine as their role; a refused delivery is dropped",
        "our model",
        "AWS tries again and then uses the dead-letter queue, if there is one",
    ),
    ("Schedules are looked at every second", "our model", "on AWS they fire within a minute"),
)

BEHAVIOURS: tuple[tuple[str, Origin, str], ...] = (
    *_SIGNER,
    *_LAMBDA,
    *_IAM,
    *_STEP_FUNCTIONS,
    *_EVENTS,
    *CLOUDFORMATION,
)
"""The behaviour, its origin, and the source or what is unknown."""


def markdown_table() -> str:
    """Return the table of ``docs/local-aws.md``."""
    rows = ["| behaviour | how we know | source, or what is unknown |", "|---|---|---|"]
    return "\n".join([*rows, *(f"| {' | '.join(row)} |" for row in BEHAVIOURS)])
