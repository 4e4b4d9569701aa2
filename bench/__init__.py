"""What Grantway costs, measured: each module here runs by itself, `python -m bench.NAME`."""
