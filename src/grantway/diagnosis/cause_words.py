"""How each cause shows and how it comes about, in the words and the order of docs/causes.md; code stands between backticks."""

from grantway.diagnosis.cause import Cause

SECTIONS = {
    "The key": {
        Cause.UNKNOWN_KEY: (
            "`401 invalid_client`, and no usual mistake explains the key. The fingerprint in the finding is the first eight hex digits of "
            "the stored secret's SHA-256."
        ),
        Cause.RETIRED_SECRET: (
            "`401 invalid_client` some time after the secret was regenerated: one deployment still signs with the old one."
        ),
        Cause.HASH_OF_SECRET: (
            "`401 invalid_client`: the program keeps a hash of the secret and signs with that. A hash cannot verify what was "
            "signed with the secret, nor the other way round."
        ),
        Cause.SECRET_WITH_WHITESPACE: (
            "`401 invalid_client` with a secret that looks right. `echo secret > file` writes a newline, and so do most editors."
        ),
        Cause.SECRET_HEX_DECODED: (
            "`401 invalid_client` with a secret of hex digits: the program turned it into half as many bytes. Here a 64-character "
            "secret is 64 key bytes."
        ),
        Cause.SECRET_BASE64_DECODED: "`401 invalid_client`: some libraries (jjwt among them) take a string key for base64.",
        Cause.SECRET_BASE64_ENCODED: (
            "`401 invalid_client` with a secret that came out of a store in base64, such as `data` of a Kubernetes Secret."
        ),
        Cause.SECRET_DOLLAR_STRIPPED: (
            "`401 invalid_client` with a secret that holds a `$`: a shell or compose file put a variable in its place, mostly an empty one."
        ),
        Cause.SECRET_URL_ENCODED: "`401 invalid_client` with a secret that holds `+`, `/`, `=` or `%`.",
        Cause.SECRET_QUOTED: "`401 invalid_client`: an env file was read by something that keeps the quotes.",
        Cause.SECRET_TRUNCATED: "`401 invalid_client`: a column, a form field or a hash function (bcrypt takes 72 bytes) cut the secret.",
        Cause.CLIENT_ID_AS_KEY: "`401 invalid_client`: the arguments were swapped.",
        Cause.SECRET_OF_ANOTHER_CLIENT_OF_YOURS: "`401 invalid_client` after staging and production were mixed up.",
        Cause.RAW_SECRET_SENT: (
            "`401 invalid_client`: `client_secret` is a field for a JWT here, whatever other servers take in it. At the standard flow a "
            "client may also be registered to send the secret itself."
        ),
    },
    "The client_id": {
        Cause.CLIENT_UNKNOWN: "`401 invalid_client` (token) or `400 invalid_client_id` (request).",
        Cause.CLIENT_DELETED: (
            "The client_id was right once. Also told where the client was deleted right after the answer, when only its secrets, which "
            "went with it, could tell what was wrong."
        ),
        Cause.CLIENT_DISABLED: (
            "`401 invalid_client` (token) or `400 client_inactive` (request). What the client holds lives on until it ends or is revoked."
        ),
        Cause.CLIENT_ID_WHITESPACE: "A client_id copied with a space, or read from a file with its newline.",
        Cause.CLIENT_ID_IS_ROW_ID: "The API shows two ids for each client, `id` and `client_id`: apps send the second.",
        Cause.CLIENT_ID_IS_NAME: "The app's name stands where its client_id should.",
        Cause.CLIENT_ID_CASE: "client_ids are compared character for character.",
        Cause.CLIENT_ID_MISTYPED: "A client_id typed by hand.",
    },
    "The JWT": {
        Cause.ASSERTION_MALFORMED: (
            "`401 invalid_client`: padding, `+` and `/`, line breaks, quotes, two parts or five (that is an encrypted JWT)."
        ),
        Cause.BEARER_PREFIX_IN_FIELD: "`401 invalid_client`.",
        Cause.ASSERTION_EXPIRED: (
            "`401 client_secret_expired` when the rest is right, else, and at the standard flow always, `401 invalid_client`. A JWT that "
            "was made once and kept in a configuration file ends like this, and so does one from a machine whose clock is behind."
        ),
        Cause.CLOCK_AHEAD: (
            "`401 invalid_client` with `iat` or `nbf` in the future by more than 60 seconds. The finding tells by how much, and "
            "whether it was so before. An `exp` that is too far only because of that is not blamed."
        ),
        Cause.EXP_MISSING: "`401 invalid_client`.",
        Cause.EXP_IN_MILLISECONDS: "`401 invalid_client` from JavaScript or Java: `Date.now()` counts milliseconds.",
        Cause.EXP_TOO_FAR: (
            "`401 invalid_client`: the JWT would live longer than 5 minutes, or as a `client_assertion` longer than an hour. Without "
            "`iat` the clock that signs may be ahead instead; with it that is `clock_ahead`."
        ),
        Cause.EXP_NOT_A_NUMBER: '`401 invalid_client`: `"exp": "1751019815"` is a string.',
        Cause.ALG_MISMATCH: "`401 invalid_client`: HS384 and HS512 are not taken. The finding does not blame the key when it is right.",
        Cause.ALG_NONE: "`401 invalid_client`: the library was told not to sign, or had no key.",
        Cause.ALG_ASYMMETRIC: "`401 invalid_client`: RS256, ES256 and their kin.",
        Cause.CRIT_UNSUPPORTED: "`401 invalid_client`: a header that must be understood and is not (RFC 7515, section 4.1.11).",
        Cause.CLAIM_CLIENT_ID_MISMATCH: (
            "`401 invalid_client`: JWT and body name two clients; both are shown. At the standard flow also `400 invalid_request`: the "
            "form and the Authorization header do."
        ),
        Cause.CLAIM_MISSING: (
            "`401 invalid_client`: a JWT in `client_secret` names the client in `client_id`, a `client_assertion` (RFC 7523) in `iss` and "
            "`sub`; libraries for the one leave out what the other needs."
        ),
        Cause.ISS_MISMATCH: (
            "`401 invalid_client` at the standard flow: `iss` of a `client_assertion` is not the client; some libraries put the "
            "app's name or URL there."
        ),
        Cause.SUB_MISMATCH: (
            "`401 invalid_client` at the standard flow: `sub` of a `client_assertion` is not the client; often it is the user."
        ),
        Cause.AUD_MISSING: (
            "`401 invalid_client` at the standard flow: a `client_assertion` must say whom it is for, so that nobody who received "
            "it can use it elsewhere."
        ),
        Cause.AUD_MISMATCH: (
            "`401 invalid_client`: the finding names the part that differs (scheme, host, port, path, a slash at the end)."
        ),
        Cause.ASSERTION_REPLAYED: "`401 invalid_client` on a second exchange: a JWT is used up by the code that it collected.",
        Cause.ASSERTION_TYPE_WRONG: (
            "`400 invalid_request` at the standard flow: `client_assertion` came without its type, or with another one."
        ),
        Cause.ASSERTION_EXPOSED: (
            "`401 invalid_client`: the JWT was in the URL of `/oauth2-integration` before. What stands in a URL stands in "
            "histories and logs."
        ),
    },
    "The request's form": {
        Cause.AUTH_METHOD_MISMATCH: (
            "`400 invalid_request`: the library sends HTTP Basic or a bearer token. At the standard flow `401 invalid_client`: the "
            "client is registered for another way to authenticate, and the finding names both."
        ),
        Cause.MULTIPLE_AUTH_METHODS: "A library adds its own Authorization header, or sends a secret beside a JWT.",
        Cause.NO_CREDENTIALS: "`400 invalid_request`, at the standard flow `401 invalid_client`.",
        Cause.BASIC_MALFORMED: (
            "`401 invalid_client` at the standard flow: what stands behind `Basic` is no base64, or has no colon in it."
        ),
        Cause.BASIC_NOT_FORM_ENCODED: (
            "`401 invalid_client` at the standard flow: with a `+` or `%` in the secret, a pair that was joined as it stands is "
            "read as another one."
        ),
        Cause.GRANT_TYPE_UNSUPPORTED: "`400 unsupported_grant_type` at the standard flow.",
        Cause.PASSPHRASE_MISSING: (
            "`400 invalid_scope` at the standard flow: the user allowed a prefix, which must be encrypted with the key that comes "
            "from the passphrase, and nobody gave it."
        ),
        Cause.TOKEN_OF_ANOTHER_CLIENT: "`400 invalid_request` from `/oauth2/revoke`.",
        Cause.METHOD_NOT_ALLOWED: (
            "`405 method_not_allowed`: mostly a GET with everything in the URL, or a POST to the page where the person's browser should go."
        ),
        Cause.BODY_CONTENT_TYPE: (
            "`400 invalid_request`: `/api/v0/oauth2/token` and the rest of the JSON API take JSON, whatever the Content-Type says; "
            "`/oauth2/token` takes a form, which is what OAuth libraries send."
        ),
        Cause.BODY_MALFORMED: (
            "`400 invalid_request`: single quotes, a trailing comma, a name twice, a list, nothing at all; in a form a parameter twice."
        ),
        Cause.BODY_TOO_LARGE: "`400 invalid_request`.",
        Cause.FIELD_IN_QUERY_STRING: "`400 invalid_request`: what stands in a URL ends up in logs and histories.",
        Cause.FIELD_MISNAMED: "`400 invalid_request`: `clientId` for `client_id`, `scopes` for `scope`, or everything inside of `data`.",
        Cause.FIELD_MISSING: (
            "`400 invalid_request`, of scope `400 invalid_scope`: missing, null or empty. At the standard flow, of client_id "
            "`401 invalid_client`, and of redirect_uri `400 invalid_grant`."
        ),
        Cause.FIELD_WRONG_TYPE: (
            "`400 invalid_request`: the verdict names the field. Mostly it is `scope`, which is a list in JSON, not text with spaces."
        ),
    },
    "The code and what comes back with it": {
        Cause.REDIRECT_URI_MISMATCH: (
            "`400 invalid_redirect_uri`, from `/oauth2/token` `400 invalid_grant`: the finding names the part that differs."
        ),
        Cause.CODE_UNKNOWN: "`400 invalid_code`, at the standard flow `400 invalid_grant`.",
        Cause.CODE_EXPIRED: "`400 code_expired`, at the standard flow `400 invalid_grant`.",
        Cause.CODE_ALREADY_USED: (
            "`400 code_already_used`, at the standard flow `400 invalid_grant`. Unless it comes with the very JWT of the first time, or "
            "from a public client without the right `code_verifier`, what the code yielded is revoked: somebody else may have it. The "
            "finding says so, and under which trace_id the code was used first (`used_in`)."
        ),
        Cause.CODE_OF_ANOTHER_CLIENT: (
            "`400 invalid_code`, at the standard flow `400 invalid_grant`: two apps, or two environments, share a callback."
        ),
        Cause.CODE_NOT_APPROVED: "`400 invalid_code`, at the standard flow `400 invalid_grant`: the `request_id` was presented.",
        Cause.CODE_TRUNCATED: (
            "`400 invalid_code`, at the standard flow `400 invalid_grant`: codes carry a checksum, and this one's does not hold."
        ),
        Cause.CONSENT_ENDED: "`400 invalid_code`, at the standard flow `400 invalid_grant`.",
        Cause.PKCE_MISSING: "`400 invalid_code`, at the standard flow `400 invalid_grant`; the code is not used up.",
        Cause.PKCE_UNEXPECTED: (
            "`400 invalid_code`, at the standard flow `400 invalid_grant`: a verifier without a challenge is refused, so that a "
            "stripped challenge is noticed."
        ),
        Cause.PKCE_MISMATCH: "`400 invalid_code`, at the standard flow `400 invalid_grant`: mostly a verifier from another attempt.",
        Cause.PKCE_VERIFIER_IS_CHALLENGE: "`400 invalid_code`, at the standard flow `400 invalid_grant`.",
        Cause.PKCE_HEX_DIGEST: (
            "`400 invalid_request`, or `400 invalid_code`, at the standard flow `400 invalid_grant`: a challenge of 64 hex digits."
        ),
        Cause.PKCE_METHOD_PLAIN: "`400 invalid_request`.",
        Cause.PKCE_CHALLENGE_MALFORMED: (
            "`400 invalid_request`: the challenge or its method is malformed, or missing where the client must use PKCE, as it must at "
            "the standard flow unless it is registered without."
        ),
    },
    "Scopes, projects, requests": {
        Cause.SCOPE_UNKNOWN: "`400 invalid_scope`: the finding names the scope.",
        Cause.SCOPE_SYNTAX: "`400 invalid_scope`.",
        Cause.SCOPE_NO_PERMISSION: "`400 invalid_scope`.",
        Cause.SCOPE_NOT_REGISTERED: "`400 invalid_scope`.",
        Cause.SCOPE_NOT_REQUESTED: "`400 invalid_scope`: rejecting the last bucket does not mean the whole project.",
        Cause.SCOPES_TOO_LONG: (
            "`400 invalid_scope`: a person could not answer a request for so many places, or for places with such long names. Counted is "
            "each as a form sends it, percent signs encoded once more."
        ),
        Cause.SCOPE_CONTRADICTION: (
            "`400 invalid_request`: also when a rejected place lies in an approved one, or the whole project is approved, for then it is "
            "allowed."
        ),
        Cause.SESSION_MISSING: (
            "`401 unauthorized` from `/api/v0/oauth2/request`: the user's session is missing, unknown or has ended. Nobody is told which "
            "of these it is."
        ),
        Cause.ORIGIN_FOREIGN: (
            "`403 forbidden` from `/api/v0/oauth2/request`: a page of another site sent it with the user's cookie, as its `Origin` says."
        ),
        Cause.PROJECT_MISSING: "`400 no_project`, at the standard flow `400 invalid_grant`.",
        Cause.PROJECT_NOT_OWNED: "`403 forbidden`.",
        Cause.RESPONSE_TYPE_UNSUPPORTED: "`unsupported_response_type` in the redirect of the standard flow.",
        Cause.STATE_TOO_LONG: "`400 invalid_request`.",
        Cause.REQUEST_UNKNOWN: "`400 invalid_request_id`.",
        Cause.REQUEST_NOT_YOURS: "`403 forbidden`.",
        Cause.REQUEST_NOT_PENDING: "`400 request_not_pending`.",
        Cause.REQUEST_EXPIRED: "`400 request_expired`.",
    },
    "Not your request": {
        Cause.RATE_LIMITED: "`429 rate_limited` with `Retry-After`.",
        Cause.SERVER_FAULT: (
            "`500 server_error` or `503 temporarily_unavailable`: a secret that does not unseal, a database that is away, too much "
            "Argon2 at once."
        ),
        Cause.UNKNOWN: "Should not be: please report it.",
    },
}

WORDS: dict[Cause, str] = {cause: words for section in SECTIONS.values() for cause, words in section.items()}
