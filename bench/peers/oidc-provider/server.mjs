// oidc-provider as the peer of the exchange benchmark: client_secret_jwt (HS256), authorization_code, opaque tokens, everything in memory.
// The provider's port serves nothing but the provider; codes are minted on a second port, outside of what is measured,
// and whatever was stored before is forgotten then.
//
// From the environment: PEER_PORT, PEER_SEED_PORT, PEER_CLIENT_ID, PEER_CLIENT_SECRET, PEER_REDIRECT_URI.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

import { forgetAll, MapAdapter } from './adapter.mjs';

const ACCOUNT = 'a-person';
// No `openid`: then no id_token is signed, and both servers verify one HMAC and hand out one opaque credential.
const SCOPE = 'read write list';

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

const configuration = {
  adapter: MapAdapter,
  clients: [{
    client_id: clientId,
    client_secret: setting('PEER_CLIENT_SECRET'),
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: 'HS256',
    id_token_signed_response_alg: 'ES256',
  }],
  clientAuthMethods: ['client_secret_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['HS256'], idTokenSigningAlgValues: ['ES256'] },
  jwks: { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })] },
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
    pushedAuthorizationRequests: { enabled: false },
    resourceIndicators: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
  },
};

const provider = new Provider(`http://127.0.0.1:${port}`, configuration);

/** A code as a finished sign-in and consent would leave it: made and stored by the provider's own models. */
async function mintCode(client) {
  const grant = new provider.Grant({ accountId: ACCOUNT, clientId });
  grant.addOIDCScope(SCOPE);
  const grantId = await grant.save();
  const code = new provider.AuthorizationCode({
    accountId: ACCOUNT, client, grantId, redirectUri, scope: SCOPE, authTime: Math.floor(Date.now() / 1000),
  });
  return code.save();
}

const seed = createServer(async (request, response) => {
  const count = Number(new URL(request.url, 'http://127.0.0.1').searchParams.get('count'));
  const client = await provider.Client.find(clientId);
  const codes = [];
  forgetAll();
  for (let made = 0; made < count; made += 1) codes.push(await mintCode(client));
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ codes }));
});

seed.listen(seedPort, '127.0.0.1');
const server = createServer(provider.callback());
server.listen(port, '127.0.0.1');

process.on('SIGTERM', () => process.exit(0));
