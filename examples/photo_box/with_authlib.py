"""Photo Box on Authlib, a public OAuth library that knows nothing of Grantway: the standard flow with its secret kept at home."""

from authlib.integrations.base_client import MismatchingStateError
from authlib.integrations.flask_client import OAuth, OAuthError
from authlib.oauth2.rfc7523 import ClientSecretJWT
from examples.photo_box import pages
from examples.photo_box.settings import CLIENT_ID, CLIENT_SECRET, ISSUER, REDIRECT_URI, SCOPES, TIMEOUT_SECONDS
from flask import redirect, request
from requests import RequestException
from werkzeug import Response

app = pages.new_app("Authlib")
grantway = OAuth(app).register(
    "grantway",
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    server_metadata_url=f"{ISSUER}/.well-known/oauth-authorization-server",
    client_auth_methods=[ClientSecretJWT(f"{ISSUER}/oauth2/token")],  # whom the JWT is for (RFC 7523 section 3)
    client_kwargs={
        "scope": " ".join(SCOPES),
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "client_secret_jwt",
        "default_timeout": TIMEOUT_SECONDS,
    },
)


@app.get("/connect")
def connect() -> Response:
    """The Connect button: to Grantway. Authlib keeps state and PKCE verifier in the session."""
    try:
        answer: Response = grantway.authorize_redirect(REDIRECT_URI)
    except RequestException:
        return pages.problem(pages.AWAY)
    return answer


@app.get("/callback")
def callback() -> Response:
    """Back from Grantway: the code becomes an access grant."""
    if request.args.get("iss") != ISSUER:  # Authlib leaves this check to the app (RFC 9207)
        return pages.problem(pages.STALE)
    try:
        token = grantway.authorize_access_token()
    except OAuthError as error:
        if error.error == "access_denied":
            return pages.denied()
        is_stale = isinstance(error, MismatchingStateError)
        return pages.problem(pages.STALE if is_stale else f"Grantway says {error.error}: {error.description}")
    except RequestException:
        return pages.problem(pages.AWAY)
    pages.keep(token.get("access_grant"), token["access_token"])
    return redirect("/", 303)
