"""The AWS CLI without its start: a process that has loaded it forks for every call of the walks.

Most of a call's time goes into importing the AWS CLI. What runs in the fork is ``awscli.clidriver.main``, which is all
that the program ``aws`` runs, with the caller's arguments, environment, folder and file descriptors.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVER = Path(__file__).with_name("warm_aws_cli_server.py")
_CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    call = json.dumps([sys.argv, dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(server, [len(call).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(call)
    code = server.recv(1)
sys.exit(code[0] if code else "the AWS CLI ended without an exit code")
"""


@contextmanager
def warm_aws_cli() -> Iterator[Path]:
    """Serve calls as long as the block lasts; yields the folder whose ``aws`` makes them, for the PATH."""
    with tempfile.TemporaryDirectory() as name:
        programs = Path(name, "programs")
        programs.mkdir()
        client, address = Path(name, "client.py"), Path(name, "socket")
        client.write_text(_CLIENT.format(address=str(address)))
        program = programs / "aws"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{client}" "$@"\n')
        program.chmod(0o755)
        # The CLI decides when it is loaded that it keeps the credentials of roles under HOME.
        environment = {**os.environ, "HOME": name}
        with subprocess.Popen([sys.executable, _SERVER, address], stdout=subprocess.PIPE, env=environment) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == b"ready\n"
                yield programs
            finally:
                server.kill()
