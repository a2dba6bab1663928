"""A town served by the real binary, and how clients and its owner reach it: for the scripts beside."""

import json
import os
import signal
import subprocess
import sys

BINARY = os.path.abspath(sys.argv[1])
COMUNE = "collina"
FILE = "pratica.residency.v1.ResidencyService/FileDeclaration"


def serve(data, strace=(), stderr=subprocess.DEVNULL):
    """Starts the server, under strace with these arguments; answers when it serves."""
    command = [BINARY, "serve", "--own-tokens", "--listen", "127.0.0.1:0", "--data", data,
               "--comune", COMUNE]
    if strace:
        command = ["strace", "-f", *strace] + command
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True,
                              start_new_session=True)
    address = server.stdout.readline().strip()
    assert address, "the server did not start"
    return server, f"http://{address}"


def stop(server, how=signal.SIGKILL):
    """Ends the server, and strace with it; when it answers, nobody has the files any more."""
    with open(f"/proc/{server.pid}/task/{server.pid}/children", encoding="ascii") as children:
        traced = children.read().split()
    os.kill(int(traced[0]) if traced else server.pid, how)
    server.wait(timeout=60)


def token(data, account, role, *more):
    return subprocess.run(
        [BINARY, "token", "--data", data, "--account", account, "--role", role, *more],
        capture_output=True, text=True, check=True).stdout.strip()


def ask(url, token, method, request):
    """The answer, or None and what the client was told instead."""
    done = subprocess.run(
        [BINARY, "--format", "json", "call", "--server", url, "--token", token, method,
         json.dumps(request)], capture_output=True, text=True)
    return (None, done.stderr.strip()) if done.returncode else (json.loads(done.stdout), "")


def call(url, token, method, request):
    answer, refusal = ask(url, token, method, request)
    assert answer is not None, refusal
    return answer


def owns(data, *command):
    """Runs a command of who owns the data."""
    done = subprocess.run([BINARY, *command, "--data", data], capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def declaration(number):
    return {
        "comune": COMUNE,
        "request_id": f"00000000-0000-4000-8000-{number:012d}",
        "kind": "RESIDENCY_KIND_CHANGE_OF_DWELLING",
        "channel": "CHANNEL_COUNTER",
        "form": {
            "ministry_form": True,
            "address": {"street": f"Via dei Colli {number}", "postcode": "40100",
                        "municipality": "Collina", "province": "BO"},
            "title": "OCCUPATION_TITLE_LEASE",
            "title_details": "registered lease",
            "members": [{
                "person": {"given_name": "Anna", "family_name": "Rossi",
                           "fiscal_code": "RSSNNA80A41A944Z",
                           "birth_date": {"year": 1980, "month": 1, "day": 1}},
                "account": f"citizen.{number}", "signed": True, "identity_copy": True,
                "origin": "Valle",
            }],
        },
    }
