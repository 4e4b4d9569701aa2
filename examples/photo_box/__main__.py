"""`python -m examples.photo_box authlib|connect`: serve one variant, on a port or on a socket that is open already.

Its registration is in the environment: PHOTO_BOX_ISSUER, PHOTO_BOX_CLIENT_ID, PHOTO_BOX_CLIENT_SECRET and PHOTO_BOX_REDIRECT_URI, which is
the address that people open it at and /callback. `grantway demo` sets them.
"""

import argparse
import importlib
import logging
import os
import signal
import sys

from werkzeug.serving import make_server

REGISTRATION = [f"PHOTO_BOX_{name}" for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI")]


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m examples.photo_box", description="Photo Box, an example app.")
    parser.add_argument("variant", choices=["authlib", "connect"], help="the library that it is built on")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=10003)
    parser.add_argument("--fd", type=int, help="serve on this listening socket instead")
    chosen = parser.parse_args()
    if missing := [name for name in REGISTRATION if not os.environ.get(name)]:
        parser.error(f"set {', '.join(missing)} in the environment")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # a line for each request would have codes in it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    app = importlib.import_module(f"examples.photo_box.with_{chosen.variant}").app
    make_server(chosen.host, chosen.port, app, threaded=True, fd=chosen.fd).serve_forever()


main()
