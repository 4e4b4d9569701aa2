// The records of oidc-provider in a Map without a limit: its own in-memory adapter keeps 1,000 entries, fewer than one round of codes.
// As lean as its contract allows (no copies, no timers), so that storage costs the peer next to nothing. Records are found by their grant,
// too: with each revocation the provider asks for all of the token's.

const adapters = [];

/** Forget everything, so that one round's records don't weigh on the next round's garbage collection. */
export function forgetAll() {
  for (const adapter of adapters) adapter.clear();
}

export class MapAdapter {
  #records = new Map();
  #idsByGrant = new Map();

  constructor() {
    adapters.push(this);
  }

  clear() {
    this.#records.clear();
    this.#idsByGrant.clear();
  }

  async upsert(id, payload) {
    this.#records.set(id, payload);
    const { grantId } = payload;
    if (grantId === undefined) return;
    const ids = this.#idsByGrant.get(grantId);
    if (ids) ids.add(id);
    else this.#idsByGrant.set(grantId, new Set([id]));
  }

  async find(id) {
    return this.#records.get(id);
  }

  async findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return this.#first((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    this.#records.get(id).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    const grantId = this.#records.get(id)?.grantId;
    this.#records.delete(id);
    this.#idsByGrant.get(grantId)?.delete(id);
  }

  async revokeByGrantId(grantId) {
    for (const id of this.#idsByGrant.get(grantId) ?? []) this.#records.delete(id);
    this.#idsByGrant.delete(grantId);
  }

  #first(matches) {
    for (const payload of this.#records.values()) {
      if (matches(payload)) return payload;
    }
    return undefined;
  }
}
