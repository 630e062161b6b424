"""AWS on one machine, with signatures that are really checked: MiniStack and what it lacks. Needs the extra ``local``.

A green run here is never proof about AWS: `constructs_pkg.testing.local_aws.behaviours` says of each behaviour whether
it was observed on AWS, is documented by AWS, or is only our model.

Parts: `handle` starts and stops a server (`LocalAws`), `server` is that server, `overlay` is the registry through which
the other modules add services, CloudFormation resource types and state to MiniStack.
"""

from constructs_pkg.testing.local_aws.handle import LocalAws

__all__ = ["LocalAws"]
