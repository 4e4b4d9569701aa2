// The records of oidc-provider in a Map without a limit: its own in-memory adapter keeps 1,000 entries, fewer than one round of codes.
// As lean as its contract allows (no copies, no timers, no index by grant), so that storage costs the peer next to nothing.

const adapters = [];

/** Forget everything, so that one round's records don't weigh on the next round's garbage collection. */
export function forgetAll() {
  for (const adapter of adapters) adapter.clear();
}

export class MapAdapter {
  #records = new Map();

  constructor() {
    adapters.push(this);
  }

  clear() {
    this.#records.clear();
  }

  async upsert(id, payload) {
    this.#records.set(id, payload);
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
    this.#records.delete(id);
  }

  // Walks over everything: only a replayed code leads here, and the bench sends none.
  async revokeByGrantId(grantId) {
    for (const [id, payload] of this.#records) {
      if (payload.grantId === grantId) this.#records.delete(id);
    }
  }

  #first(matches) {
    for (const payload of this.#records.values()) {
      if (matches(payload)) return payload;
    }
    return undefined;
  }
}
