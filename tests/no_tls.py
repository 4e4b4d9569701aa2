"""For httpx, to servers that speak plain HTTP: `verify=NO_TLS`. Else each new client reads every certificate that the system trusts."""

import httpx

NO_TLS = httpx.create_ssl_context(verify=False)
