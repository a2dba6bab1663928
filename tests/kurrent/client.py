"""kurrentdbclient against the real binary: append, conflict, read, filter, subscribe, resume."""

import json
import os
import uuid

from kurrentdbclient import KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.events import CaughtUp, Checkpoint
from kurrentdbclient.exceptions import (
    AccessDeniedError,
    KurrentDBClientError,
    NotFoundError,
    WrongCurrentVersionError,
)

STREAM = f"collina.prova-{uuid.uuid4()}"


def connect(token):
    uri = f"kurrentdb://collina:{token}@localhost:{os.environ['PORT']}?tls=true"
    with open(os.environ["CA"], encoding="utf-8") as file:
        return KurrentDBClient(uri=uri, root_certificates=file.read())


def event(number):
    data = {"day": "2026-03-03", "last": number, "sha256": "ab" * 32}
    return NewEvent(type="register.day_closed", data=json.dumps(data).encode())


def numbers(events):
    return [e.stream_position for e in events]


client = connect(os.environ["MIGRATOR"])
before = client.get_commit_position()
assert before > 10, before

# One event goes by Append, several by BatchAppend.
first = event(0)
at = client.append_to_stream(STREAM, events=first, current_version=StreamState.NO_STREAM)
assert at == before + 1, (before, at)
at = client.append_to_stream(STREAM, events=[event(n) for n in (1, 2, 3)], current_version=0)
assert at == before + 4, at
client.append_to_stream(STREAM, events=[event(4)], current_version=StreamState.ANY)
client.append_to_stream(STREAM, events=event(5), current_version=StreamState.EXISTS)
for wrong in (0, StreamState.NO_STREAM):
    for events in (event(9), [event(9), event(10)]):
        try:
            client.append_to_stream(STREAM, events=events, current_version=wrong)
        except WrongCurrentVersionError:
            pass
        else:
            raise AssertionError(f"no conflict at {wrong}")
assert client.get_current_version(STREAM) == 5

assert numbers(client.get_stream(STREAM)) == [0, 1, 2, 3, 4, 5]
assert numbers(client.get_stream(STREAM, stream_position=2, limit=2)) == [2, 3]
assert numbers(client.get_stream(STREAM, backwards=True)) == [5, 4, 3, 2, 1, 0]
assert numbers(client.get_stream(STREAM, stream_position=1, backwards=True)) == [1, 0]
read = client.get_stream(STREAM)[0]
assert (read.id, read.type, read.data) == (first.id, first.type, first.data)
metadata = json.loads(read.metadata)
assert (metadata["actor"], metadata["role"]) == ("trasloco", "migrator"), metadata
try:
    client.get_stream("collina.prova-nowhere")
except NotFoundError:
    pass
else:
    raise AssertionError("a stream that is not there")

# The whole log, by its default filter (a look-ahead), by prefix and by pattern.
everything = list(client.read_all())
assert len(everything) == before + 6, (len(everything), before)
assert [e.commit_position for e in everything] == list(range(1, before + 7))
backwards = list(client.read_all(backwards=True, limit=3))
assert [e.commit_position for e in backwards] == [before + 6, before + 5, before + 4]
mine = list(client.read_all(filter_include=[STREAM], filter_by_stream_name=True,
                            filter_by_prefix=True))
assert numbers(mine) == [0, 1, 2, 3, 4, 5]
closed = list(client.read_all(filter_include=[r"register\.day_.*"]))
assert {e.type for e in closed} == {"register.day_closed"}
assert len(closed) >= 6
tail = list(client.read_all(commit_position=before + 5))
assert [e.commit_position for e in tail] == [before + 5, before + 6], "the given one included"

# A subscription catches up, says so, follows, and resumes strictly after what was handled.
subscription = client.subscribe_to_all(
    filter_include=[STREAM], filter_by_stream_name=True, filter_by_prefix=True,
    include_caught_up=True, include_checkpoints=True,
)
seen = []
for received in subscription:
    if isinstance(received, CaughtUp):
        break
    if not isinstance(received, Checkpoint):
        seen.append(received)
assert numbers(seen) == [0, 1, 2, 3, 4, 5], seen
client.append_to_stream(STREAM, events=event(6), current_version=5)
for received in subscription:
    if not isinstance(received, (Checkpoint, CaughtUp)):
        assert received.stream_position == 6
        break
subscription.stop()
resumed = client.subscribe_to_all(
    commit_position=seen[3].commit_position,
    filter_include=[STREAM], filter_by_stream_name=True, filter_by_prefix=True,
)
assert [next(resumed).stream_position for _ in range(3)] == [4, 5, 6]
resumed.stop()
following = client.subscribe_to_stream(STREAM, stream_position=4)
assert [next(following).stream_position for _ in range(2)] == [5, 6]
following.stop()

# Nobody appends but a migration identity, and no event that could not be read again.
reader = connect(os.environ["ANALYST"])
assert len(reader.get_stream(STREAM)) == 7
for who, what, error in (
    (reader, event(7), AccessDeniedError),
    (client, NewEvent(type="nobody.knows", data=b"{}"), KurrentDBClientError),
):
    try:
        who.append_to_stream(STREAM, events=what, current_version=6)
    except error:
        pass
    else:
        raise AssertionError("taken")
assert client.get_current_version(STREAM) == 6
client.close()
reader.close()
print("kurrentdbclient: appends, conflicts, reads both ways, filters, subscribes and resumes")
