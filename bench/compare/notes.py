"""The footnotes: what a reader must know of a side before comparing its figures with another's."""

ACCESS_GRANT = "Grantway's exchange hands out an access grant (two caveats, encryption keys, signed with HMACs), not an opaque token."
REMEMBERED = (
    "A process of Grantway remembers clients that it read and codes that it issued; the claim of a code, in its own transaction, looks at "
    "all of it again. With two processes half of the codes are collected elsewhere, and are looked up."
)
JWT_ASKS = "At Grantway's introspection a JWT is checked but not used up; the peers that take JWTs store it there as well."
IN_PROCESS = "SQLite runs in the server's process: its processor time, and its waits for the disk, are in the server's own figures."
IN_MEMORY = (
    "oidc-provider in memory: a Map without a limit, written for this (its own adapter keeps 1,000 entries). Nothing survives the "
    "process, and what a round stored is forgotten before the next. A second process would not know the codes of the first, so "
    "there is one on both cores too."
)
ID_TOKEN = (
    "oidc-provider, id_token: with each access token it signs an id_token (RS256, its default), as it does for whoever asks for `openid`; "
    "the other hands out a random string alone. Introspection and revocation do the same work for both."
)
IN_POSTGRESQL = (
    "oidc-provider on PostgreSQL: the adapter is ours; as its contract has it, each call is one statement (prepared) and a commit "
    "of its own."
)
AUTHLIB = (
    "Authlib is a library: its models, its store of used JWTs and the one commit of an exchange are ours, after its own examples, "
    "which lock no row."
)
DJANGO = (
    "django-oauth-toolkit takes no client JWT: the secret itself is sent, and stored in the clear. Hashed, as it does unless told, it "
    "costs a password's derivation with each request: 3 a second. No middleware but the one that adds Content-Length; no refresh "
    "tokens, which it makes otherwise."
)
GUNICORN = (
    "Authlib and django-oauth-toolkit run under gunicorn with one process of 16 threads for each core, connections kept on both "
    "sides: the best of 1, 2 and 4 processes with 4 to 16 threads each."
)
HYDRA_CLIENT = (
    "Ory Hydra has no client_secret_jwt, and for client_secret_basic it derives a key from the secret with each request. So it "
    "gets private_key_jwt (RS256, cheap to verify)."
)
HYDRA_ADMIN = "Ory Hydra's introspection is a port for the operator's own services and asks for no credentials."
HYDRA_VERSION = "Ory Hydra v2.3.0 is the newest that the Go module proxy gave; it refused v25.4.0, v26.2.0 (versions by date) and master."
KEYCLOAK = (
    "Keycloak's access token is a signed JWT (ES256), not an opaque one, and there are no refresh tokens. Codes and used JWTs are "
    "in its memory, sessions there and in PostgreSQL. One node without a cluster, heap 256 MiB to 1 GiB. Codes are those of 32 "
    "people who stay signed in."
)
