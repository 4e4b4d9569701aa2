"""The values of one token request that a developer copies."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Who asks, where, and with what; the code comes later. `url` is the endpoint's, `verifier` the PKCE verifier's text."""

    client_id: str
    secret: str = field(repr=False)
    redirect_uri: str
    verifier: str = field(repr=False)
    url: str

    def as_literals(self) -> dict[str, str]:
        """Each value by its name, as a string literal of Python."""
        return {name: json.dumps(value) for name, value in asdict(self).items()}
