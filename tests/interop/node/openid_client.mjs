// The standard flow with `openid-client`: prints where to send the person, reads where they came back to, prints the token answer,
// and what the server says of the token afterwards.
import { createInterface } from 'node:readline/promises'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, METHOD, REDIRECT_URI } = process.env
const ways = {
  client_secret_jwt: () => client.ClientSecretJwt(CLIENT_SECRET),
  client_secret_basic: () => client.ClientSecretBasic(CLIENT_SECRET),
  client_secret_post: () => client.ClientSecretPost(CLIENT_SECRET),
  none: () => client.None(),
}
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, ways[METHOD](), {
  algorithm: 'oauth2',
  execute: [client.allowInsecureRequests],
})
const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: REDIRECT_URI,
  scope: 'read list',
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
console.log(url.href)
const back = await createInterface({ input: process.stdin }).question('')
const tokens = await client.authorizationCodeGrant(config, new URL(back), { pkceCodeVerifier: verifier, expectedState: state })
const introspection = METHOD === 'none' ? undefined : await client.tokenIntrospection(config, tokens.access_token)
console.log(JSON.stringify({ ...tokens, introspection }))
process.exit(0)
