"""A call as CloudTrail really recorded it, with every member; accounts, names, ids and addresses are ours.

Shape: the log of "Overwrite Lambda Function Code" in the documentation of Stratus Red Team, taken from a real account
in August 2024. The function is named by its ARN, beside the parts of it that Lambda adds; who calls is a user, who has
no session.
"""

from typing import Any

UPDATE_FUNCTION_CODE: dict[str, Any] = {
    "awsRegion": "eu-central-1",
    "eventCategory": "Management",
    "eventID": "c1b2c3d4-0000-4000-8000-000000000001",
    "eventName": "UpdateFunctionCode20150331v2",
    "eventSource": "lambda.amazonaws.com",
    "eventTime": "2026-11-23T08:00:00Z",
    "eventType": "AwsApiCall",
    "eventVersion": "1.08",
    "managementEvent": True,
    "readOnly": False,
    "recipientAccountId": "444444444403",
    "requestID": "d1b2c3d4-0000-4000-8000-000000000002",
    "requestParameters": {
        "dryRun": False,
        "fullyQualifiedArn": {
            "arnPrefix": {"account": "444444444403", "partition": "aws", "region": "eu-central-1"},
            "functionQualifier": {},
            "relativeId": {"functionName": "payments-api"},
        },
        "functionName": "arn:aws:lambda:eu-central-1:444444444403:function:payments-api",
        "publish": True,
    },
    "responseElements": {
        "architectures": ["x86_64"],
        "codeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "codeSize": 211,
        "description": "",
        "environment": {},
        "ephemeralStorage": {"size": 512},
        "functionArn": "arn:aws:lambda:eu-central-1:444444444403:function:payments-api:1",
        "functionName": "payments-api",
        "handler": "index.handler",
        "lastModified": "2026-11-23T08:00:00.000+0000",
        "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/payments-api"},
        "memorySize": 128,
        "packageType": "Zip",
        "revisionId": "e1b2c3d4-0000-4000-8000-000000000003",
        "role": "arn:aws:iam::444444444403:role/payments-execution",
        "runtime": "python3.13",
        "runtimeVersionConfig": {"runtimeVersionArn": "arn:aws:lambda:eu-central-1::runtime:" + "0" * 64},
        "snapStart": {"applyOn": "None", "optimizationStatus": "Off"},
        "state": "Pending",
        "stateReason": "The function is being created.",
        "stateReasonCode": "Creating",
        "timeout": 3,
        "tracingConfig": {"mode": "PassThrough"},
        "version": "1",
    },
    "sourceIPAddress": "192.0.2.10",
    "tlsDetails": {
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": "lambda.eu-central-1.amazonaws.com",
        "tlsVersion": "TLSv1.3",
    },
    "userAgent": "aws-cli/2",
    "userIdentity": {
        "accessKeyId": "AKIAEXAMPLE",
        "accountId": "444444444403",
        "arn": "arn:aws:iam::444444444403:user/alice",
        "principalId": "AIDAEXAMPLE",
        "type": "IAMUser",
        "userName": "alice",
    },
}
