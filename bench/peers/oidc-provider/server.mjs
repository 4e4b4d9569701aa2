// oidc-provider as a peer of the benchmarks: client_secret_jwt (HS256), authorization_code, opaque tokens, introspection, revocation.
// The provider's port serves nothing but the provider; codes are minted on a second port, outside of what is measured,
// and whatever a Map had stored before is forgotten then.
//
// From the environment: PEER_PORT, PEER_SEED_PORT, PEER_CLIENT_ID, PEER_CLIENT_SECRET, PEER_REDIRECT_URI; optional: PEER_OPENID (RS256 or
// ES256), to sign an id_token with each access token; PEER_DATABASE, the URL of a PostgreSQL database (without it everything is in
// memory), and with it PEER_PROCESSES, how many serve (1).

import cluster from 'node:cluster';
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

import { forgetAll, MapAdapter } from './adapter.mjs';
import { openDatabase, PostgresAdapter } from './postgres.mjs';

const ACCOUNT = 'a-person';
// With `openid` an id_token is signed for each exchange; without it, all that is handed out is a random string.
const SCOPE = process.env.PEER_OPENID ? 'openid read write list' : 'read write list';
// RS256 is what oidc-provider and OpenID Connect sign with unless told otherwise.
const SIGNED_WITH = process.env.PEER_OPENID || 'RS256';
const signingKey = () => (SIGNED_WITH === 'RS256'
  ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })).privateKey;

function setting(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`server.mjs: ${name} is not set`);
    process.exit(2);
  }
  return value;
}

const port = Number(setting('PEER_PORT'));
const seedPort = Number(setting('PEER_SEED_PORT'));
const clientId = setting('PEER_CLIENT_ID');
const redirectUri = setting('PEER_REDIRECT_URI');
const database = process.env.PEER_DATABASE;
const processes = Number(process.env.PEER_PROCESSES || 1);

const configuration = {
  adapter: database ? PostgresAdapter : MapAdapter,
  clients: [{
    client_id: clientId,
    client_secret: setting('PEER_CLIENT_SECRET'),
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: 'HS256',
    id_token_signed_response_alg: SIGNED_WITH,
  }],
  clientAuthMethods: ['client_secret_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['HS256'], idTokenSigningAlgValues: [SIGNED_WITH] },
  jwks: { keys: [signingKey().export({ format: 'jwk' })] },
  responseTypes: ['code'],
  scopes: SCOPE.split(' '),
  pkce: { required: () => false },
  cookies: { keys: ['only for the bench'] },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600 },
  // Whatever the exchange doesn't need is off: each of these can only cost the peer time.
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    introspection: { enabled: true },
    pushedAuthorizationRequests: { enabled: false },
    resourceIndicators: { enabled: false },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
  },
};

const provider = new Provider(`http://127.0.0.1:${port}`, configuration);

/** A code as a finished sign-in and consent would leave it: made and stored by the provider's own models. */
async function mintCode(client, challenge) {
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId });
  grant.addOIDCScope(SCOPE);
  const grantId = await grant.save();
  const proof = challenge ? { codeChallenge: challenge, codeChallengeMethod: 'S256' } : {};
  const code = new provider.AuthorizationCode({
    accountId: ACCOUNT, client, grantId, redirectUri, scope: SCOPE, authTime: Math.floor(Date.now() / 1000), ...proof,
  });
  return code.save();
}

async function answerSeed(request, response) {
  const asked = new URL(request.url, 'http://127.0.0.1').searchParams;
  const client = await provider.Client.find(clientId);
  const codes = [];
  forgetAll();
  for (let made = 0; made < Number(asked.get('count')); made += 1) codes.push(await mintCode(client, asked.get('challenge')));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ codes }));
}

const serve = () => createServer(provider.callback()).listen(port, '127.0.0.1');

if (database) await openDatabase(database, { make: cluster.isPrimary });
if (cluster.isPrimary) createServer(answerSeed).listen(seedPort, '127.0.0.1');
if (cluster.isPrimary && processes > 1) {
  for (let made = 0; made < processes; made += 1) cluster.fork();
} else serve();

process.on('SIGTERM', () => process.exit(0));
