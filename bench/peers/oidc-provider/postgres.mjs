// The records of oidc-provider in PostgreSQL, the way its adapter contract suggests: one table, one statement a call, prepared by name.
//
// PEER_DATABASE is the URL. `consume` writes without asking whether somebody was first: the contract has no place for the answer.

import pg from 'pg';

// Beyond some twenty connections the server's one thread has nothing left to gain.
const MOST_CONNECTIONS = 20;

const TABLE = `
  CREATE TABLE IF NOT EXISTS records (
    model text NOT NULL, id text NOT NULL, payload json NOT NULL,
    grant_id text, uid text, user_code text, expires_at timestamptz, consumed_at timestamptz,
    PRIMARY KEY (model, id)
  );
  CREATE INDEX IF NOT EXISTS records_by_grant ON records (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_by_uid ON records (uid) WHERE uid IS NOT NULL;`;

const ALIVE = '(expires_at IS NULL OR expires_at > now())';
const COLUMNS = 'payload, extract(epoch FROM consumed_at)::int AS consumed';

let pool;

/** Open the connections; with `make`, the table as well. */
export async function openDatabase(url, { make = false } = {}) {
  pool = new pg.Pool({ connectionString: url, max: MOST_CONNECTIONS, idleTimeoutMillis: 0 });
  if (make) await pool.query(TABLE);
}

async function run(name, text, values) {
  const { rows } = await pool.query({ name, text, values });
  return rows;
}

function payloadOf(row) {
  if (!row) return undefined;
  return row.consumed ? { ...row.payload, consumed: row.consumed } : row.payload;
}

export class PostgresAdapter {
  #model;

  constructor(model) {
    this.#model = model;
  }

  async upsert(id, payload, expiresIn) {
    await run(
      'upsert',
      `INSERT INTO records (model, id, payload, grant_id, uid, user_code, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
       ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         uid = excluded.uid, user_code = excluded.user_code, expires_at = excluded.expires_at`,
      [this.#model, id, JSON.stringify(payload), payload.grantId, payload.uid, payload.userCode, expiresIn ?? null],
    );
  }

  async find(id) {
    const rows = await run('find', `SELECT ${COLUMNS} FROM records WHERE model = $1 AND id = $2 AND ${ALIVE}`, [this.#model, id]);
    return payloadOf(rows[0]);
  }

  async findByUid(uid) {
    const rows = await run('by_uid', `SELECT ${COLUMNS} FROM records WHERE model = $1 AND uid = $2 AND ${ALIVE}`, [this.#model, uid]);
    return payloadOf(rows[0]);
  }

  async findByUserCode(code) {
    const rows = await run('by_user_code', `SELECT ${COLUMNS} FROM records WHERE model = $1 AND user_code = $2 AND ${ALIVE}`, [this.#model, code]);
    return payloadOf(rows[0]);
  }

  async consume(id) {
    await run('consume', 'UPDATE records SET consumed_at = now() WHERE model = $1 AND id = $2', [this.#model, id]);
  }

  async destroy(id) {
    await run('destroy', 'DELETE FROM records WHERE model = $1 AND id = $2', [this.#model, id]);
  }

  async revokeByGrantId(grantId) {
    await run('revoke_by_grant', 'DELETE FROM records WHERE model = $1 AND grant_id = $2', [this.#model, grantId]);
  }
}
