"""Grantway beside its peers: the same three jobs, the same disk, the same cores. `python -m bench.compare`."""
