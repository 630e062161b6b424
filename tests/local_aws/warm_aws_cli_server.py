"""The process that has loaded the AWS CLI; see ``warm_aws_cli.py``."""

import gc
import json
import os
import socket
import sys
from contextlib import suppress

import awscli.clidriver
import awscli.handlers  # the CLI imports its plugins when it is called


def serve(address: str) -> None:
    """Fork for every connection, until this process is killed."""
    gc.freeze()  # or each fork's collector would copy the pages of all modules
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(16)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended
                    pass
    start, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
    call = b""
    while len(call) < int.from_bytes(start, "big"):
        call += connection.recv(1 << 20)
    sys.argv, environment, here = json.loads(call)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    models = os.environ["AWS_DATA_PATH"]  # where loading the CLI has put the folder of its own models
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=models)
    os.chdir(here)
    code = awscli.clidriver.main()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code]))
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
