"""What Photo Box was given when it was registered: from the environment, as an app has it."""

import os

ISSUER = os.environ["PHOTO_BOX_ISSUER"]
CLIENT_ID = os.environ["PHOTO_BOX_CLIENT_ID"]
CLIENT_SECRET = os.environ["PHOTO_BOX_CLIENT_SECRET"]
REDIRECT_URI = os.environ["PHOTO_BOX_REDIRECT_URI"]
SCOPES = ["read", "list", "bucket:photos"]
TIMEOUT_SECONDS = 10
