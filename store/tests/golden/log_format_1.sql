CREATE TABLE streams (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE events (
    position       INTEGER PRIMARY KEY,
    stream_id      INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    event_id       BLOB    NOT NULL,
    type           TEXT    NOT NULL,
    schema_version INTEGER NOT NULL,
    occurred_at    INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL,
    metadata       TEXT    NOT NULL,
    payload        TEXT    NOT NULL,
    UNIQUE (stream_id, revision)
) STRICT;

CREATE TABLE requests (
    request_id     BLOB    PRIMARY KEY,
    fingerprint    BLOB    NOT NULL,
    stream_id      INTEGER NOT NULL,
    first_revision INTEGER,
    revision       INTEGER,
    position       INTEGER NOT NULL,
    event_count    INTEGER NOT NULL,
    recorded_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER events_in_order BEFORE INSERT ON events
WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM events)
  OR NEW.revision IS NOT
     (SELECT coalesce(max(revision), -1) + 1 FROM events WHERE stream_id = NEW.stream_id)
BEGIN SELECT RAISE(ABORT, 'events are appended in order, without gaps'); END;

CREATE TRIGGER requests_once BEFORE INSERT ON requests
WHEN EXISTS (SELECT 1 FROM requests WHERE request_id = NEW.request_id)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER streams_once BEFORE INSERT ON streams
WHEN EXISTS (SELECT 1 FROM streams WHERE id = NEW.id OR name = NEW.name)
BEGIN SELECT RAISE(ABORT, 'the stream exists'); END;

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

CREATE TRIGGER requests_never_change BEFORE UPDATE ON requests
BEGIN SELECT RAISE(ABORT, 'requests are never changed'); END;

CREATE TRIGGER requests_never_go BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'requests are never deleted'); END;

CREATE TRIGGER streams_never_change BEFORE UPDATE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never changed'); END;

CREATE TRIGGER streams_never_go BEFORE DELETE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never deleted'); END;

CREATE VIEW event_log AS
SELECT e.position,
       s.name AS stream,
       e.revision,
       e.type,
       e.schema_version,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.occurred_at / 1e9, 'unixepoch') AS occurred_at,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.recorded_at / 1e9, 'unixepoch') AS recorded_at,
       e.metadata ->> '$.actor' AS actor,
       e.metadata ->> '$.role'  AS role,
       e.payload,
       e.metadata,
       lower(hex(e.event_id)) AS event_id
FROM events e JOIN streams s ON s.id = e.stream_id;
