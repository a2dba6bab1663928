"""A server's files as a disk may hold them after a power cut.

strace records every write and every flush of the real binary while clients file declarations. For a
cut at any moment the files are made again from that record: what was flushed is there; each write
since is there, is not, or only its first sectors are. Names of files are kept in their order, as a
journalling file system keeps them. Each such directory must verify, hold every filing that was
acknowledged before the cut, and serve.
"""

import concurrent.futures
import json
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import time

from town import COMUNE, FILE, call, declaration, owns, serve, stop, token

CUTS, FILINGS, SEED = (int(given) for given in sys.argv[2:5])
SECTOR = 512
CALLS = "openat,open,creat,write,pwrite64,pwritev,writev,fdatasync,fsync,ftruncate,unlink,unlinkat,rename,renameat,renameat2,close"


def work(data, trace):
    """Files declarations under strace; answers when each was acknowledged, and for which case."""
    record = ["-ttt", "-xx", "-y", "-s", "4194304", "-e", f"trace={CALLS}", "-o", trace]
    server, url = serve(data, record)
    officer = token(data, "officer.bianchi", "officer", "--office", "anagrafe")
    acknowledged = []

    def file(number):
        answer = call(url, officer, FILE, declaration(number))
        acknowledged.append((time.time(), answer["outcome"]["case_id"]))

    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(file, range(1, FILINGS + 1)))
    finally:
        stop(server)
    return sorted(acknowledged), officer


LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")


def operations(trace, data):
    """The writes and flushes to files of the data, in the order in which they ended."""
    begun = {}
    with open(trace, errors="replace") as lines:
        for line in lines:
            match = LINE.match(line.rstrip("\n"))
            if not match:
                continue
            thread, at, rest = match[1], float(match[2]), match[3]
            if rest.endswith("<unfinished ...>"):
                begun[thread] = rest[: -len("<unfinished ...>")].rstrip()
                continue
            resumed = RESUMED.match(rest)
            if resumed:
                rest = begun.pop(thread, "") + resumed[2]
            try:
                operation = parsed(rest, data)
            except (TypeError, ValueError) as failure:
                raise SystemExit(f"cannot read strace's {rest[:80]} ... {rest[-80:]}") from failure
            if operation:
                yield at, operation


TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
OPEN = re.compile(r"^\w+\((\d+)<((?:\\x[0-9a-f]{2}|[^>])*)>")


def text(quoted):
    return bytes.fromhex(quoted.replace("\\x", ""))


def path_of(call, data):
    match = OPEN.match(call)
    if not match:
        return None
    name = match[2]
    name = text(name).decode() if name.startswith("\\x") else name
    return os.path.relpath(name, data) if name.startswith(data + "/") else None


def parsed(call, data):
    name, result = call.split("(", 1)[0], call.rsplit("=", 1)[-1].strip()
    # A call that failed; or one that the kill found under way (`= ?`, `= ? <unavailable>`), of which
    # nobody knows whether it was done.
    if not result or result[0] in "-?":
        return None
    if name in ("open", "openat", "creat"):
        path = text(TEXT.search(call)[1]).decode()
        if path.startswith(data + "/"):
            return ("make", os.path.relpath(path, data)) if "O_CREAT" in call else None
        return None
    if name in ("unlink", "unlinkat", "rename", "renameat", "renameat2"):
        paths = [text(found).decode() for found in TEXT.findall(call)]
        if not all(path.startswith(data + "/") for path in paths):
            return None
        return (name.rstrip("at2") if name.startswith("rename") else "unlink",
                *[os.path.relpath(path, data) for path in paths])
    path = path_of(call, data)
    if path is None:
        return None
    if name in ("fdatasync", "fsync"):
        return ("flush", path)
    if name == "ftruncate":
        return ("cut", path, int(re.search(r", (\d+)\)", call)[1]))
    if name == "pwrite64":
        offset = int(re.search(r", (\d+)\) *= *\d+$", call)[1])
        return ("write", path, offset, text(TEXT.search(call)[1])[: int(result.split()[0])])
    if name == "write":
        return ("write", path, None, text(TEXT.search(call)[1])[: int(result.split()[0])])
    if name in ("pwritev", "writev"):
        raise SystemExit(f"cannot follow {name}: {call[:80]}")
    return None


class Disk:
    """What a disk holds: of each file what is flushed, and the writes since."""

    def __init__(self, flushes=True):
        self.files = {}
        self.flushes = flushes

    def apply(self, operation):
        kind, path = operation[0], operation[1]
        if kind == "unlink":
            self.files.pop(path, None)
        elif kind == "rename":
            self.files[operation[2]] = self.files.pop(path, [bytearray(), []])
        elif kind != "flush" or path in self.files:  # directories are flushed too
            flushed, pending = self.files.setdefault(path, [bytearray(), []])
            if kind == "flush" and self.flushes:
                for write in pending:
                    put(flushed, write)
                pending.clear()
            elif kind in ("write", "cut"):
                pending.append(operation)

    def after_a_cut(self, chance, target):
        lost = torn = 0
        for path, (flushed, pending) in self.files.items():
            content = bytearray(flushed)
            for write in pending:
                fate = chance.random()
                if fate < 0.4:
                    put(content, write)
                elif fate < 0.6 and write[0] == "write" and len(write[3]) > SECTOR:
                    kept = SECTOR * chance.randrange(1, -(-len(write[3]) // SECTOR))
                    put(content, (*write[:3], write[3][:kept]))
                    torn += 1
                else:
                    lost += 1
            full = os.path.join(target, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "wb") as out:
                out.write(content)
        return lost, torn


def put(content, write):
    if write[0] == "cut":
        size = write[2]
        content[size:] = b"\0" * max(0, size - len(content))
        return
    offset = len(content) if write[2] is None else write[2]
    if offset > len(content):
        content.extend(b"\0" * (offset - len(content)))
    content[offset:offset + len(write[3])] = write[3]


def check(target, expected, keys, officer):
    """What was acknowledged is there and can be read, the whole verifies, and it works on."""
    key = f"file:{keys}/{{comune}}.key"
    os.environ["PRATICA_MASTER_KEY_FROM"] = key
    if expected:
        for command in (["verify"], ["verify", "log"], ["rebuild"]):
            owns(target, *command)
        log = os.path.join(target, COMUNE, "log.db")
        with sqlite3.connect(f"file:{log}?mode=ro", uri=True) as log:
            streams = {name.split("-", 1)[1] for (name,) in
                       log.execute("SELECT name FROM streams") if ".residency-" in name}
        missing = [case for case in expected if case not in streams]
        assert not missing, f"acknowledged and gone: {missing}"
    server, url = serve(target)
    try:
        for case in expected[-3:]:
            answer = call(url, officer, "pratica.cases.v1.CasesService/GetCase",
                          {"comune": COMUNE, "case_id": case})
            assert "Rossi" in json.dumps(answer), "the personal data of an acknowledged case is shut"
        call(url, officer, FILE, declaration(10_000))
    finally:
        stop(server)


def control(place, record, acknowledged, keys, officer):
    """A disk that lies about flushes loses what was acknowledged: the check must see it."""
    disk, target = Disk(flushes=False), os.path.join(place, "control")
    os.makedirs(os.path.join(target, COMUNE))
    shutil.copy(os.path.join(place, "data", "server.key"), target)
    for _, operation in record:
        disk.apply(operation)
    disk.after_a_cut(random.Random(SEED), target)
    try:
        check(target, [case for _, case in acknowledged], keys, officer)
    except (AssertionError, sqlite3.Error):
        return
    raise SystemExit("the check did not see that a lying disk had lost acknowledged filings")


def main():
    place = tempfile.mkdtemp(prefix="pratica-power-")
    data, keys, trace = (os.path.join(place, name) for name in ("data", "keys", "trace"))
    os.makedirs(data)
    os.environ["PRATICA_MASTER_KEY_FROM"] = f"file:{keys}/{{comune}}.key"
    acknowledged, officer = work(data, trace)
    record = list(operations(trace, data))
    flushes = sum(1 for _, operation in record if operation[0] == "flush")
    print(f"{len(acknowledged)} filings are {len(record)} operations on files, {flushes} flushes")
    assert len(acknowledged) == FILINGS and flushes > FILINGS, "the record is not whole"
    chance = random.Random(SEED)
    # The first cuts fall while everything is made; the others anywhere.
    first = next((n for n, (at, _) in enumerate(record) if at > acknowledged[0][0]),
                 len(record) - 1)
    places = sorted([chance.randrange(1, first) for _ in range(max(1, CUTS // 6))]
                    + [chance.randrange(first, len(record)) for _ in range(CUTS - CUTS // 6)])
    disk, done, lost, torn = Disk(), 0, 0, 0
    for number, cut in enumerate(places):
        for _, operation in record[done:cut]:
            disk.apply(operation)
        done = cut
        expected = [case for at, case in acknowledged if at < record[cut - 1][0]]
        target = os.path.join(place, f"cut{number}")
        os.makedirs(os.path.join(target, COMUNE), exist_ok=True)
        shutil.copy(os.path.join(data, "server.key"), target)
        gone, halved = disk.after_a_cut(chance, target)
        lost, torn = lost + gone, torn + halved
        try:
            check(target, expected, keys, officer)
        except AssertionError as failure:
            raise SystemExit(f"seed {SEED}, cut {number} after operation {cut}, in {target}: "
                             f"{failure}") from failure
        shutil.rmtree(target)
    control(place, record, acknowledged, keys, officer)
    shutil.rmtree(place)
    print(f"{CUTS} power cuts, {lost} writes lost and {torn} torn: nothing acknowledged is gone")


main()
