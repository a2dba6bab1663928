"""A server on a disk that fails under it.

strace has system calls of the real binary fail for the files named, as a broken disk, a full one or a
read-only file system has them fail, while clients file declarations. Each fault is held to what
docs/reliability.md promises of it, while the server runs and after a restart without the fault: what
was acknowledged is there once, what was not is asked again, the register has no gap, the whole
verifies, and the views are what the log says.
"""

import concurrent.futures
import contextlib
import dataclasses
import http.client
import itertools
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from town import COMUNE, FILE, ask, call, declaration, owns, serve, stop, token

TIMES, SEED = (int(given) for given in sys.argv[2:4])
# A word of the names of those faults alone that are to be tried.
ONLY = os.environ.get("PRATICA_FAULT", "")
CLIENTS = 4
LOG, VIEWS, KEYS, ACCESS, EVIDENCE = (
    (f"{name}.db", f"{name}.db-wal") for name in ("log", "views", "keys", "access", "evidence"))
ALL = tuple(f"{name}.db{more}" for name in ("log", "views", "keys", "desk", "access", "evidence")
            for more in ("", "-wal", "-shm"))
CHANGES = "pwrite64,write,ftruncate,fsync,fdatasync,unlink"
STOPPED = "the writer of the log stops"
NOT_FOLLOWING = "the views stopped following the log"
NOT_RECORDED = "accesses could not be recorded"
NOT_PROVED = "the evidence stopped following the log"


@dataclasses.dataclass
class Fault:
    """What fails, from which call of a thread on, and how many filings meet it."""

    name: str
    files: tuple
    calls: str
    error: str
    first: tuple
    last: str
    promise: str
    filings: int = 30
    said: str = ""
    long: bool = False
    # A file of which the system may have forgotten all that the failed flush was to write.
    forgotten: str = ""


FAULTS = [
    Fault("a flush of the log fails once", LOG, "fsync,fdatasync", "EIO", (2, 30), "", "stops"),
    Fault("every flush of the log fails", LOG, "fsync,fdatasync", "EIO", (2, 30), "+", "stops"),
    Fault("a write of the log fails once", LOG, "pwrite64", "EIO", (5, 400), "", "stops"),
    Fault("the log is read-only", LOG, "pwrite64,fsync", "EROFS", (5, 400), "+", "stops"),
    # A start makes some eighty such calls; one that cannot make them is another matter.
    Fault("the file system is read-only", ALL, CHANGES, "EROFS", (120, 400), "+", "stops"),
    Fault("views.db is full", VIEWS, "pwrite64", "ENOSPC", (40, 400), "+", "goes on",
          said=NOT_FOLLOWING),
    Fault("views.db is full for a time", VIEWS, "pwrite64", "ENOSPC", (40, 400), "..{}", "recovers",
          said=NOT_FOLLOWING),
    # What was written since the start is read from there; the file itself is read at the start too.
    Fault("views.db cannot be read", VIEWS[1:], "pread64", "EIO", (1, 6), "+", "goes on"),
    Fault("views.db cannot be read for a time", VIEWS[1:], "pread64", "EIO", (1, 6), "..{}",
          "recovers"),
    Fault("no flush of views.db succeeds", VIEWS, "fsync,fdatasync", "EIO", (1, 1), "+", "goes on"),
    Fault("the log cannot be folded in", LOG[:1], "fsync,fdatasync", "EIO", (1, 1), "+", "stops",
          filings=400, long=True),
    # Nothing is sealed with a key that is not on the disk.
    Fault("keys.db is full", KEYS, "pwrite64", "ENOSPC", (1, 1), "+", "needs keys", said="keys.db"),
    Fault("keys.db is full for a time", KEYS, "pwrite64", "ENOSPC", (1, 1), "..{}", "needs keys",
          said="keys.db"),
    Fault("no flush of keys.db succeeds", KEYS, "fsync,fdatasync", "EIO", (1, 1), "+", "needs keys",
          said="keys.db"),
    Fault("access.db is full", ACCESS, "pwrite64", "ENOSPC", (10, 14), "+", "records",
          said=NOT_RECORDED),
    Fault("access.db is full for a time", ACCESS, "pwrite64", "ENOSPC", (10, 14), "..{}", "records",
          said=NOT_RECORDED),
    Fault("no flush of access.db succeeds", ACCESS, "fsync,fdatasync", "EIO", (5, 5), "+", "records",
          said=NOT_RECORDED),
    # What was committed is in the write-ahead log, and must stay there: SQLite would fold in the rest at
    # the next commit, or when it closes the file, and begin it anew.
    Fault("keys.db cannot be folded in", KEYS[:1], "fsync,fdatasync", "EIO", (1, 1), "",
          "needs keys for good", said="keys.db could not be flushed", forgotten="keys.db"),
    # What could not be written is written again: no flush was trusted that failed.
    Fault("keys.db has no room to be folded in for a time", KEYS[:1], "pwrite64", "ENOSPC", (1, 1),
          "..{}", "goes on"),
    Fault("access.db cannot be folded in", ACCESS[:1], "fsync,fdatasync", "EIO", (1, 1), "",
          "records no more", said="the record of access could not be flushed", forgotten="access.db"),
    Fault("evidence.db cannot be folded in", EVIDENCE[:1], "fsync,fdatasync", "EIO", (1, 1), "",
          "proves no more", said="evidence.db could not be flushed", filings=120,
          forgotten="evidence.db"),
    Fault("evidence.db is full", EVIDENCE, "pwrite64", "ENOSPC", (5, 20), "+", "proves",
          said=NOT_PROVED),
    Fault("evidence.db is full for a time", EVIDENCE, "pwrite64", "ENOSPC", (5, 20), "..{}", "proves",
          said=NOT_PROVED),
]


class Town:
    """A directory of data, and all that was ever sent to its server."""

    def __init__(self, place):
        self.data, self.trace = os.path.join(place, "data"), os.path.join(place, "trace")
        self.said = os.path.join(place, "said")
        os.makedirs(self.data)
        self.answers, self.accesses = {}, []
        server, url = serve(self.data)
        self.officer = token(self.data, "officer.bianchi", "officer", "--office", "anagrafe")
        self.admin = token(self.data, "admin", "administrator")
        self.protection = token(self.data, "rpd", "protection_officer")
        for number in range(1, 4):
            self.answers[number] = number_of(call(url, self.officer, FILE, declaration(number)))
        stop(server, signal.SIGTERM)
        # So that the calls of a start are few: no file has anything to be folded in.
        for name in ALL[::3]:
            with contextlib.closing(sqlite3.connect(self.path(name))) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def path(self, name):
        return os.path.join(self.data, COMUNE, name)

    def start(self, calls, files, *more):
        strace = ["--seccomp-bpf", "-y", "-s", "0", "-e", f"trace={calls}", "-o", self.trace, *more]
        for name in files:
            strace += ["-P", self.path(name)]
        with open(self.said, "w", encoding="utf-8") as said:
            return serve(self.data, strace, said)

    def file(self, url, numbers):
        """Files from several clients, each until it is refused; answers what they were told."""
        refusals, lock = [], threading.Lock()

        def client(_):
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                self.answers[number] = None
                answer, refusal = ask(url, self.officer, FILE, declaration(number))
                if answer is None:
                    refusals.append(refusal)
                    return
                self.answers[number] = number_of(answer)

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(client, range(CLIENTS)))
        return refusals

    def status(self, url):
        return call(url, self.admin, "pratica.admin.v1.AdminService/GetStatus", {"comune": COMUNE})

    def views(self, url, within=60):
        """What the views say of themselves, once they are at the end of the log."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            answer, _ = ask(url, self.admin, "pratica.admin.v1.AdminService/GetStatus",
                            {"comune": COMUNE})
            views = answer and answer["views"]
            if views and all(view["position"] == answer["log_position"] for view in views):
                return views
        raise AssertionError("the views do not follow the log")

    def pages(self, url, method, rows):
        """All rows of a list that is as new as the log."""
        head, found, page = self.status(url)["log_position"], [], ""
        while True:
            answer = call(url, self.officer, method, {
                "comune": COMUNE, "page_size": 200, "page_token": page, "min_position": head})
            found += answer[rows]
            page = answer["next_page_token"]
            if not page:
                return found


def number_of(answer):
    return answer["outcome"]["receipt"]["number"]["text"]


def health(url):
    """The health of the comune: 1 serves, 2 does not."""
    service = COMUNE.encode()
    asked = b"\x0a" + bytes([len(service)]) + service
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("POST", "/grpc.health.v1.Health/Check",
                       b"\0" + len(asked).to_bytes(4, "big") + asked,
                       {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"})
    answer = connection.getresponse().read()
    assert answer[5] == 0x08, f"not an answer of the health service: {answer!r}"
    return answer[6]


def injected(trace):
    with open(trace, errors="replace", encoding="utf-8") as lines:
        return sum(1 for line in lines if "(INJECTED)" in line)


def forget_what_was_not_flushed(town):
    """What a system may do that could not write: the end of the file that it still shows is gone."""
    write = re.compile(r"^(\d+) +pwrite64\(\d+<[^>]*log\.db-wal>.*, (\d+), (\d+)\) += (\d+)$")
    flush = re.compile(r"^\d+ +fsync\(\d+<[^>]*log\.db-wal>\) += 0$")
    written = flushed = 0
    with open(town.trace, errors="replace", encoding="utf-8") as lines:
        for line in whole(lines):
            if found := write.match(line):
                written = max(written, int(found[3]) + int(found[4]))
            elif flush.match(line):
                flushed = written
    path = town.path("log.db-wal")
    if os.path.exists(path) and os.path.getsize(path) > flushed:
        os.truncate(path, flushed)


def whole(lines):
    """The lines of a trace, those that another thread broke in two made one."""
    begun = {}
    for line in lines:
        line = line.rstrip("\n")
        thread = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line[: -len("<unfinished ...>")].rstrip()
        elif resumed := re.match(r"^\d+ +<\.\.\. \w+ resumed>(.*)$", line):
            yield begun.pop(thread, "") + resumed[1]
        else:
            yield line


def the_writer_stopped(town, url, refusals, numbers, _):
    """A log that could not be written is not written again, and says so; reads go on."""
    assert refusals, "every filing was acknowledged: the log went on after the fault"
    head = town.status(url)["log_position"]
    for _ in range(3):
        refusals += town.file(url, itertools.islice(numbers, 1))
    assert len(refusals) >= 3 and town.status(url)["log_position"] == head, "the log went on"
    others = [told for told in refusals if not told.startswith("UNAVAILABLE: ")]
    assert not others, f"a client may come back, and is not told so: {others}"
    says(town, STOPPED)
    assert health(url) == 2, "the health of the comune says that it serves"
    read(town, url)


def says(town, what):
    with open(town.said, encoding="utf-8") as said:
        assert what in said.read(), f"the server does not say: {what}"


def comes(what, within=60):
    """Waits for what comes by itself when the cause is gone."""
    until = time.monotonic() + within
    while not what():
        assert time.monotonic() < until, f"{what.__doc__} does not come"


def read(town, url):
    """Lists and cases are answered, as new as the views are."""
    cases = call(url, town.officer, "pratica.cases.v1.CasesService/ListCases", {"comune": COMUNE})
    assert len(cases["cases"]) >= 3, "cases that were there are not listed"
    case = {"comune": COMUNE, "case_id": cases["cases"][0]["case_id"]}
    answer = call(url, town.officer, "pratica.cases.v1.CasesService/GetCase", case)
    assert "Rossi" in json.dumps(answer), "a case cannot be read"


def no_keys_are_made_any_more(town, url, refusals, numbers, fault):
    """After a failed flush of the keys no more are made, though the disk is well again."""
    assert refusals, "every filing was acknowledged: keys were made after the fault"
    for _ in range(3):
        more = town.file(url, itertools.islice(numbers, 1))
        assert more, "keys were made after the fault"
        refusals += more
    no_keys_were_made(town, url, refusals, numbers, dataclasses.replace(fault, last="+"))


def no_keys_were_made(town, url, refusals, numbers, fault):
    """What could not be sealed for good is not recorded; what is there is read, and when the cause is
    gone the next filing is acknowledged."""
    def acknowledged():
        """an acknowledged filing"""
        refused = town.file(url, itertools.islice(numbers, 1))
        refusals.extend(refused)
        return not refused

    assert refusals, "every filing was acknowledged without a key for it"
    if fault.last != "+":
        comes(acknowledged)
    others = [told for told in refusals if not told.startswith("UNAVAILABLE: ")]
    assert not others, f"a client may come back, and is not told so: {others}"
    says(town, fault.said)
    read(town, url)


def the_record_of_access_lacks(town, url, refusals, _, fault):
    """Nobody waits for the record of access; what it lacks is counted in it when the cause is gone."""
    def counted():
        """the number of accesses that were not recorded"""
        read(town, url)
        found, _ = ask(url, town.protection, "pratica.privacy.v1.PrivacyService/ListAccesses",
                       {"comune": COMUNE, "page_size": 500})
        return "could not be recorded" in json.dumps(found)

    def said():
        """word of what was not recorded"""
        read(town, url)
        with open(town.said, encoding="utf-8") as told:
            return fault.said in told.read()

    assert not refusals, f"a filing was refused: {refusals}"
    comes(said)
    if fault.last != "+":
        comes(counted)


def accesses(town, url):
    """The newest accesses, with the number of each."""
    return call(url, town.protection, "pratica.privacy.v1.PrivacyService/ListAccesses",
                {"comune": COMUNE, "page_size": 500})["accesses"]


def the_record_of_access_stopped(town, url, refusals, numbers, fault):
    """After a failed flush accesses are counted alone, though the disk is well again; the count is
    written at the end."""
    dry = dataclasses.replace(fault, last="+")
    the_record_of_access_lacks(town, url, refusals, numbers, dry)
    before = accesses(town, url)
    read(town, url)
    assert accesses(town, url) == before, "the record of access went on after the fault"
    says(town, NOT_RECORDED)
    town.accesses = before


def the_evidence_stopped(town, url, refusals, _, fault):
    """After a failed flush the evidence is not written, though the disk is well again; no command
    waits for it, and who asks for a new receipt is told at once to come back."""
    def said():
        """word of the evidence"""
        with open(town.said, encoding="utf-8") as told:
            return fault.said in told.read()

    assert not refusals, f"a filing was refused: {refusals}"
    comes(said)
    refused = town.file(url, iter([100_000]))
    assert not refused, f"a filing was refused: {refused}"
    begun = time.monotonic()
    receipt, refusal = received(town, url)
    assert receipt is None, "the evidence went on after the fault"
    assert refusal.startswith("UNAVAILABLE: "), f"a client may come back, and is not told so: {refusal}"
    assert time.monotonic() - begun < 5, "who asks for a receipt waits in vain"
    read(town, url)


def received(town, url):
    """The receipt of the newest filing, or what was told instead."""
    newest = town.pages(url, "pratica.cases.v1.CasesService/ListCases", "cases")[0]
    case = {"comune": COMUNE, "case_id": newest["case_id"]}
    return ask(url, town.officer, "pratica.evidence.v1.EvidenceService/GetReceipt", case)


def the_evidence_stood_still(town, url, refusals, _, fault):
    """No command waits for the evidence; when the cause is gone it follows by itself."""
    def a_receipt():
        """the receipt of the newest filing"""
        return received(town, url)[0]

    assert not refusals, f"a filing was refused: {refusals}"
    says(town, fault.said)
    read(town, url)
    if fault.last != "+":
        comes(a_receipt)


def the_log_went_on(town, url, refusals, _, fault):
    """Trouble with the views stops no command."""
    assert not refusals, f"a filing was refused: {refusals}"
    if fault.calls == "pread64":
        for _ in range(12):
            list_ = "pratica.cases.v1.CasesService/ListCases"
            answer, refusal = ask(url, town.officer, list_, {"comune": COMUNE})
            assert answer or refusal.startswith("UNAVAILABLE: "), f"a list was refused: {refusal}"
    if fault.said:
        says(town, fault.said)
        if fault.promise == "goes on":
            assert health(url) == 2, "the health of the comune says that it serves"
            read(town, url)
    if fault.promise == "recovers":
        town.views(url)
        assert health(url) == 1, "the health of the comune says that it does not serve"


PROMISES = {
    "stops": the_writer_stopped,
    "goes on": the_log_went_on,
    "recovers": the_log_went_on,
    "needs keys": no_keys_were_made,
    "needs keys for good": no_keys_are_made_any_more,
    "records": the_record_of_access_lacks,
    "records no more": the_record_of_access_stopped,
    "proves no more": the_evidence_stopped,
    "proves": the_evidence_stood_still,
}


def holds_a_commit(wal):
    """Whether a write-ahead log has anything to be folded in: the last frame of a transaction."""
    if not os.path.exists(wal):
        return False
    with open(wal, "rb") as file:
        content = file.read()
    page, salts = int.from_bytes(content[8:12], "big"), content[16:24]
    frames = range(32, len(content) - page - 23, page + 24) if page else ()
    return any(content[at + 8:at + 16] == salts and any(content[at + 4:at + 8]) for at in frames)


def after_a_restart(town):
    """Without the fault everything goes on from what was acknowledged."""
    unfolded = holds_a_commit(town.path("log.db-wal"))
    owns(town.data, "verify", "log")
    server, url = town.start("fsync,fdatasync", ["log.db"])
    try:
        if unfolded:
            with open(town.trace, encoding="utf-8") as lines:
                assert any(line.endswith("= 0\n") for line in lines), (
                    "what was read back may not be on the disk: nothing was flushed at the start")
        for number, known in sorted(town.answers.items()):
            again = number_of(call(url, town.officer, FILE, declaration(number)))
            assert known in (None, again), f"filing {number} had {known} and now has {again}"
            town.answers[number] = again
        registered = [row["number"]["text"] for row in town.pages(
            url, "pratica.register.v1.RegisterService/ListRegistrations", "registrations")]
        assert sorted(registered) == sorted(town.answers.values()), "the register is another"
        year = registered[0].split("/")[1]
        gapless = [f"{n:07}/{year}" for n in range(len(registered), 0, -1)]
        assert registered == gapless, f"the register has a gap: {registered}"
        cases = town.pages(url, "pratica.cases.v1.CasesService/ListCases", "cases")
        assert len(cases) == len(town.answers), "not one case a filing"
        followed = town.views(url)
        assert received(town, url)[0], "the newest filing has no receipt"
        kept = accesses(town, url)
        assert all(entry in kept for entry in town.accesses), "accesses that were recorded are gone"
    finally:
        stop(server)
    owns(town.data, "verify")
    owns(town.data, "rebuild")
    server, url = serve(town.data)
    try:
        assert town.views(url) == followed, "the views are not what the log says"
    finally:
        stop(server)


def one(fault, chance):
    """A town under a fault. Answers how many calls failed and how many filings were acknowledged."""
    first = chance.randint(*fault.first)
    when = f"{first}{fault.last.format(first + 4)}"
    forgets, ends = chance.random() < 0.5, chance.random() < 0.5
    place = tempfile.mkdtemp(prefix="pratica-fail-")
    os.environ["PRATICA_MASTER_KEY_FROM"] = f"file:{place}/keys/{{comune}}.key"
    town = Town(place)
    numbers = itertools.count(4)
    if fault.forgotten:
        shutil.copy(town.path(fault.forgotten), os.path.join(place, "flushed"))
    calls = f"{fault.calls},pwrite64,fsync" if fault.files == LOG else fault.calls
    server, url = town.start(calls, fault.files, "-e",
                             f"inject={fault.calls}:error={fault.error}:when={when}")
    try:
        refusals = town.file(url, itertools.islice(numbers, fault.filings))
        PROMISES[fault.promise](town, url, refusals, numbers, fault)
        stop(server, signal.SIGTERM if ends else signal.SIGKILL)
    except (AssertionError, subprocess.TimeoutExpired) as failure:
        raise AssertionError(f"{failure} (call {when}, in {place})") from failure
    finally:
        if server.poll() is None:
            stop(server)
    met = injected(town.trace)
    assert met > 0, f"no call failed: nothing was tried (call {when}, in {place})"
    acknowledged = sum(1 for answer in town.answers.values() if answer)
    if forgets and fault.files == LOG and not ends:
        forget_what_was_not_flushed(town)
    if fault.forgotten:
        shutil.copy(os.path.join(place, "flushed"), town.path(fault.forgotten))
    try:
        after_a_restart(town)
    except AssertionError as failure:
        raise AssertionError(f"{failure} (call {when}, in {place})") from failure
    shutil.rmtree(place)
    return met, acknowledged


def a_start_that_cannot_flush():
    """What a killed server left is flushed before anybody is told of it, or nobody is served."""
    place = tempfile.mkdtemp(prefix="pratica-fail-")
    os.environ["PRATICA_MASTER_KEY_FROM"] = f"file:{place}/keys/{{comune}}.key"
    town = Town(place)
    server, url = serve(town.data)
    assert not town.file(url, iter(range(4, 10)))
    stop(server)
    try:
        server, _ = town.start("fsync,fdatasync", LOG[:1], "-e",
                               "inject=fsync,fdatasync:error=EIO:when=1+")
        stop(server)
        raise SystemExit("a server that cannot flush its log serves")
    except AssertionError:
        pass
    says(town, "folding in what was written before")
    assert injected(town.trace) > 0
    after_a_restart(town)
    shutil.rmtree(place)


def a_start_that_cannot_read_the_views():
    """Views that the disk does not give back are made again from the log."""
    place = tempfile.mkdtemp(prefix="pratica-fail-")
    os.environ["PRATICA_MASTER_KEY_FROM"] = f"file:{place}/keys/{{comune}}.key"
    town = Town(place)
    server, url = town.start("pread64", VIEWS[:1], "-e", "inject=pread64:error=EIO:when=1")
    try:
        assert not town.file(url, iter(range(4, 10)))
        town.views(url)
        says(town, "the views are built again from the log")
    finally:
        stop(server)
    assert injected(town.trace) > 0
    after_a_restart(town)
    shutil.rmtree(place)


def control():
    """A server that goes on after a failed write is found out: one whose views fail, held to what is
    promised of the log."""
    views = next(fault for fault in FAULTS if fault.name == "views.db is full")
    try:
        one(dataclasses.replace(views, promise="stops"), random.Random(SEED))
    except AssertionError as seen:
        assert "the log went on" in str(seen), seen
        shutil.rmtree(re.search(r", in (.*)\)$", str(seen))[1])
        return
    raise SystemExit("the check did not see that the server went on after the fault")


def main():
    control()
    a_start_that_cannot_flush()
    a_start_that_cannot_read_the_views()
    chance, met, acknowledged = random.Random(SEED), 0, 0
    faults = [fault for fault in FAULTS if ONLY in fault.name and (TIMES > 1 or not fault.long)]
    for time_, fault in itertools.product(range(TIMES), faults):
        try:
            failed, answered = one(fault, chance)
        except AssertionError as failure:
            raise SystemExit(f"seed {SEED}, {fault.name}, time {time_}: {failure}") from failure
        met, acknowledged = met + failed, acknowledged + answered
    print(f"{TIMES * len(faults)} failing disks, {met} calls failed, {acknowledged} filings "
          "acknowledged: none lost, none doubled, nothing acknowledged after a failed flush")


main()
