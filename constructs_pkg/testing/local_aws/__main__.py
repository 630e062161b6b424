"""Run the server of a local AWS: ``python -m constructs_pkg.testing.local_aws``; `LocalAws` is the handle on it."""

from constructs_pkg.testing.local_aws.server import main

if __name__ == "__main__":
    main()
