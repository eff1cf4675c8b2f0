"""Starts the API each time a line comes in and says the new process's number: a script for `test_server_kills`.

Each server is a fork of this process, in which the command's modules lie ready: importing them takes seconds, and the
server is killed every second. What runs in the fork is `agrocredit serve` from its first line.
"""

import os
import sys

import uvicorn  # noqa: F401

import agrocredit.service.app
import agrocredit.service.platform
import agrocredit.service.server  # noqa: F401
import pipelines.known_crops  # noqa: F401
from agrocredit.cli.app import app


def main(arguments):
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            app(["serve", *arguments])
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
