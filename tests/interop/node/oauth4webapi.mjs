// The standard flow with `oauth4webapi`: prints where to send the person, reads where they came back to, prints the token answer,
// and what the server says of the token afterwards.
import { createInterface } from 'node:readline/promises'
import * as oauth from 'oauth4webapi'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, METHOD, REDIRECT_URI } = process.env
const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(ISSUER)
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))
const app = { client_id: CLIENT_ID }
const ways = {
  client_secret_jwt: () => oauth.ClientSecretJwt(CLIENT_SECRET),
  client_secret_basic: () => oauth.ClientSecretBasic(CLIENT_SECRET),
  client_secret_post: () => oauth.ClientSecretPost(CLIENT_SECRET),
  none: () => oauth.None(),
}
const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const url = new URL(server.authorization_endpoint)
url.search = new URLSearchParams({
  client_id: CLIENT_ID,
  response_type: 'code',
  redirect_uri: REDIRECT_URI,
  scope: 'read list',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}).toString()
console.log(url.href)
const back = await createInterface({ input: process.stdin }).question('')
const parameters = oauth.validateAuthResponse(server, app, new URL(back), state)
const answer = await oauth.authorizationCodeGrantRequest(server, app, ways[METHOD](), parameters, REDIRECT_URI, verifier, insecure)
const tokens = await oauth.processAuthorizationCodeResponse(server, app, answer)
if (METHOD !== 'none') {
  const said = await oauth.introspectionRequest(server, app, ways[METHOD](), tokens.access_token, insecure)
  tokens.introspection = await oauth.processIntrospectionResponse(server, app, said)
}
console.log(JSON.stringify(tokens))
process.exit(0)
