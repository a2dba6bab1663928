// The official Node clients against the real binary: append, conflict, read, filter, subscribe,
// resume. The first argument says which of the two.
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";

const old = process.argv[2] === "eventstore";
const library = await import(old ? "@eventstore/db-client" : "@kurrent/kurrentdb-client");
const Client = old ? library.EventStoreDBClient : library.KurrentDBClient;
const { jsonEvent, streamNameFilter, eventTypeFilter, WrongExpectedVersionError } = library;
const [NONE, ANY, EXISTS] = ["no_stream", "any", "stream_exists"];

const STREAM = `collina.prova-${randomUUID()}`;
const connect = (token) =>
  Client.connectionString`${old ? "esdb" : "kurrentdb"}://collina:${token}@localhost:${process.env.PORT}?tls=true&tlsCaFile=${process.env.CA}`;
const event = (number) =>
  jsonEvent({
    type: "register.day_closed",
    data: { day: "2026-03-03", last: number, sha256: "ab".repeat(32) },
  });
const append = (client, events, revision) =>
  client.appendToStream(STREAM, events, { [old ? "expectedRevision" : "streamState"]: revision });
const revisions = async (events) => {
  const seen = [];
  for await (const { event } of events) seen.push(Number(event.revision));
  return seen;
};
const refused = async (work, kind) => {
  try {
    await work();
  } catch (error) {
    if (kind) assert(error instanceof kind, `${error}`);
    return error;
  }
  assert.fail("taken");
};

const client = connect(process.env.MIGRATOR);
// Both calls: a batch where the server has one, and a plain append with credentials of the call.
const done = await append(client, [event(0)], NONE);
assert(done.success && Number(done.nextExpectedRevision) === 0);
await append(client, [event(1), event(2), event(3)], 0n);
await append(client, event(4), ANY);
const last = await append(client, event(5), EXISTS);
const own = { username: "collina", password: process.env.MIGRATOR };
const plain = client.appendToStream(STREAM, event(6), {
  [old ? "expectedRevision" : "streamState"]: 5n,
  credentials: own,
});
assert((await plain).success);
for (const wrong of [0n, NONE]) {
  await refused(() => append(client, event(9), wrong), WrongExpectedVersionError);
}

assert.deepEqual(await revisions(client.readStream(STREAM)), [0, 1, 2, 3, 4, 5, 6]);
assert.deepEqual(await revisions(client.readStream(STREAM, { fromRevision: 2n, maxCount: 2 })), [2, 3]);
const backwards = { direction: "backwards", fromRevision: "end", maxCount: 3 };
assert.deepEqual(await revisions(client.readStream(STREAM, backwards)), [6, 5, 4]);
await refused(() => revisions(client.readStream("collina.prova-nowhere")));

const all = [];
for await (const { event } of client.readAll()) all.push(event);
assert(all.length > 17);
all.forEach((event, index) => assert.equal(Number(event.position.commit), index + 1));
const tail = [];
for await (const { event } of client.readAll({ direction: "backwards", fromPosition: "end", maxCount: 2 }))
  tail.push(Number(event.position.commit));
assert.deepEqual(tail, [all.length, all.length - 1]);

const follow = (filter, fromPosition, count) =>
  new Promise((resolve, reject) => {
    const seen = [];
    const subscription = client.subscribeToAll({ filter, fromPosition });
    subscription.on("error", reject);
    subscription.on("data", ({ event }) => {
      seen.push(event);
      if (seen.length === count) subscription.unsubscribe().then(() => resolve(seen), reject);
    });
  });
const mine = await follow(streamNameFilter({ prefixes: [STREAM] }), "start", 7);
assert.deepEqual(mine.map((e) => Number(e.revision)), [0, 1, 2, 3, 4, 5, 6]);
const closed = await follow(eventTypeFilter({ regex: "^register\\.(?!registered)" }), mine[3].position, 3);
assert.deepEqual(closed.map((e) => Number(e.revision)), [4, 5, 6], "strictly after the fourth");

// A subscription that is live hears of what is appended then.
const live = follow(streamNameFilter({ prefixes: [STREAM] }), last.position ?? mine[5].position, 2);
await append(client, event(7), 6n);
assert.deepEqual((await live).map((e) => Number(e.revision)), [6, 7]);

const stream = client.subscribeToStream(STREAM, { fromRevision: 5n });
const after = [];
for await (const { event } of stream) {
  after.push(Number(event.revision));
  if (after.length === 2) break;
}
assert.deepEqual(after, [6, 7]);
await stream.unsubscribe();

const reader = connect(process.env.ANALYST);
assert.equal((await revisions(reader.readStream(STREAM))).length, 8);
await refused(() => append(reader, event(8), 7n));
await refused(() => append(client, jsonEvent({ type: "nobody.knows", data: {} }), 7n));
assert.equal((await revisions(client.readStream(STREAM))).length, 8);
await client.dispose();
await reader.dispose();
console.log(`${old ? "@eventstore/db-client" : "@kurrent/kurrentdb-client"}: appends, conflicts, reads both ways, filters, subscribes and resumes`);
process.exit(0);
