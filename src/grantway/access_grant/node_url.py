"""Which satellite: a node id, which is the hash of its key, and where to reach it (format page, section 6)."""

