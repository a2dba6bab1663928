// A town whose workflows come with tokens of a real OpenID provider.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import Provider from 'oidc-provider';

const [binary] = process.argv.slice(2);
const roles = { workflow: ['documents'], desk: ['responsabile'], stranger: ['cook'] };

function key(kid, type) {
  const made = type === 'RS256'
    ? crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
    : crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...made.privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: type };
}

function provider(issuer, keys, alg) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: Object.keys(roles).map((client_id) => ({
      client_id, client_secret: `${client_id}-secret`, grant_types: ['client_credentials'],
      redirect_uris: [], response_types: [], id_token_signed_response_alg: alg,
    })),
    scopes: ['api'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'urn:pratica',
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'api', audience: resource === 'urn:pratica' ? 'pratica' : 'other',
          accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg } },
        }),
      },
    },
    extraTokenClaims: (_ctx, token) => ({ roles: roles[token.clientId], offices: ['uff-anagrafe'] }),
  });
}

const server = http.createServer((request, answer) => handle(request, answer));
let handle;
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
handle = provider(issuer, [key('one', 'RS256')], 'RS256').callback();

async function token(client, resource = 'urn:pratica') {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client}:${client}-secret`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'api', resource }),
  });
  const body = await answer.json();
  assert.equal(answer.status, 200, JSON.stringify(body));
  return body.access_token;
}

const data = fs.mkdtempSync(path.join(os.tmpdir(), 'pratica-identity-'));
fs.writeFileSync(path.join(data, 'identity.toml'), `
[[issuers]]
issuer = "${issuer}"
audience = ["pratica"]
comuni = ["collina"]
refetch_seconds = 1
role_claim = "roles"
office_claim = "offices"
roles = [
  { value = "responsabile", role = "officer" },
  { value = "documents", role = "service" },
]
[issuers.offices]
uff-anagrafe = "anagrafe"
`);

const town = spawn(binary, ['serve', '--data', data, '--comune', 'collina', '--master-key', 'demo',
  '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
const address = await new Promise((ready, fail) => {
  town.stdout.once('data', (line) => ready(line.toString().trim()));
  town.once('exit', (code) => fail(new Error(`the server ended with ${code}`)));
});

// The exit code of `pratica list`: 0 done, 5 not permitted.
function list(bearer) {
  return new Promise((done) => {
    const client = spawn(binary, ['list'], {
      stdio: 'ignore',
      env: { ...process.env, PRATICA_SERVER: `http://${address}`, PRATICA_TOKEN: bearer,
        PRATICA_COMUNE: 'collina' },
    });
    client.once('exit', done);
  });
}

try {
  const [workflow, desk] = [await token('workflow'), await token('desk')];
  assert.equal(await list(workflow), 0, 'a workflow by client credentials');
  assert.equal(await list(desk), 0, 'an officer');
  assert.notEqual(await list(await token('stranger')), 0, 'a role that means nothing here');
  assert.notEqual(await list(await token('desk', 'urn:other')), 0, 'a token for somebody else');
  assert.notEqual(await list(`${desk.slice(0, -4)}AAAA`), 0, 'a forged signature');

  // The provider changes its key, and the kind of key with it.
  handle = provider(issuer, [key('two', 'ES256')], 'ES256').callback();
  const fresh = await token('desk');
  const until = Date.now() + 30_000;
  while (await list(fresh) !== 0) assert.ok(Date.now() < until, 'the new key was never fetched');
  assert.notEqual(await list(desk), 0, 'a token of the key that is gone');
  console.log('8 passed, 0 failed');
} finally {
  town.kill('SIGTERM');
  await new Promise((ended) => town.once('exit', ended));
  server.close();
  server.closeAllConnections();
  fs.rmSync(data, { recursive: true, force: true });
}
