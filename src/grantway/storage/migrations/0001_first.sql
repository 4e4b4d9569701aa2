-- Times are microseconds since 1970 UTC. Digests are SHA-256, 32 bytes. Lists are JSON arrays of strings.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    email TEXT,                      -- NULL once the account is deleted
    full_name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    UNIQUE (kind, email)
);

CREATE TABLE sessions (
    digest BLOB PRIMARY KEY,         -- of the token
    account_id TEXT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_of_account ON sessions (account_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE projects (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX projects_of_owner ON projects (owner_id, created_at);

-- The embedded satellite: each project's root API key and salt, the tails that are revoked, and its own identity.
CREATE TABLE project_keys (
    project_id TEXT PRIMARY KEY REFERENCES projects (id),
    head BLOB NOT NULL UNIQUE,
    sealed_secret BLOB NOT NULL,
    salt BLOB NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE revoked_tails (
    tail_digest BLOB PRIMARY KEY,
    revoked_at BIGINT NOT NULL,
    reason TEXT NOT NULL
);

CREATE TABLE satellite_identity (
    id BIGINT PRIMARY KEY,           -- always 1: there is one
    node_id BLOB NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- One sealed row that every start opens: it tells a wrong master key before anything is served.
CREATE TABLE sealing_check (
    id BIGINT PRIMARY KEY,           -- always 1
    sealed BLOB NOT NULL
);

CREATE TABLE clients (
    row_id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,  -- stays taken when the client is deleted
    developer_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    required_scopes TEXT NOT NULL,
    is_active BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX clients_of_developer ON clients (developer_id, created_at);

CREATE TABLE client_secrets (
    client_row_id TEXT NOT NULL REFERENCES clients (row_id),
    version BIGINT NOT NULL,
    sealed BLOB NOT NULL,
    live_until BIGINT,               -- NULL: the current one
    purge_at BIGINT,
    PRIMARY KEY (client_row_id, version)
);
CREATE INDEX client_secrets_by_purge ON client_secrets (purge_at);

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    client_row_id TEXT NOT NULL REFERENCES clients (row_id),
    user_id TEXT NOT NULL REFERENCES accounts (id),
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    state TEXT,
    code_challenge TEXT,
    project_id TEXT,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX requests_of_user ON requests (user_id, client_row_id, created_at);

CREATE TABLE consents (
    id TEXT PRIMARY KEY,
    request_id TEXT NOT NULL REFERENCES requests (id),
    user_id TEXT NOT NULL REFERENCES accounts (id),
    client_row_id TEXT NOT NULL REFERENCES clients (row_id),
    project_id TEXT,
    scopes TEXT NOT NULL,
    rejected_scopes TEXT NOT NULL,
    caveat BLOB,
    tail_digest BLOB,
    created_at BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX consents_of_user ON consents (user_id, client_row_id, created_at);
CREATE INDEX consents_of_client ON consents (client_row_id);
CREATE INDEX consents_of_request ON consents (request_id);

-- A code, and once it is used, the access grant that it yielded. One row for both: an exchange is then little more than one update,
-- and a commit of many exchanges touches few pages.
CREATE TABLE codes (
    digest BLOB PRIMARY KEY,
    consent_id TEXT NOT NULL REFERENCES consents (id),
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,      -- once used its grant's end: reuse stays recognisable
    used_at BIGINT,
    used_by BLOB,                    -- digest of the assertion that claimed it: a JWT is good for one code
    grant_tail_digest BLOB,
    grant_caveat BLOB                -- with the consent's it makes the API key again, to revoke it elsewhere
);
CREATE INDEX codes_of_consent ON codes (consent_id);
CREATE INDEX codes_by_end ON codes (keep_until);
CREATE UNIQUE INDEX codes_by_assertion ON codes (used_by) WHERE used_by IS NOT NULL;

-- What happened, for the operator: never a secret, never a code.
CREATE TABLE audit (
    happened_at BIGINT NOT NULL,
    event TEXT NOT NULL,
    account_id TEXT,
    client_row_id TEXT,
    subject TEXT
);
CREATE INDEX audit_by_time ON audit (happened_at);
