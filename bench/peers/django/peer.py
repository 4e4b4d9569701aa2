"""django-oauth-toolkit on Django, as a peer of `bench.compare`: settings, URLs and seeding in one file, stored in PostgreSQL.

From the environment: PEER_DATABASE_PORT, PEER_DATABASE_NAME, PEER_CLIENT_ID, PEER_CLIENT_SECRET, PEER_REDIRECT_URI.
Run by itself, it makes tables and client.
"""

import os
import secrets
from datetime import timedelta

import django
from django.conf import settings

settings.configure(
    DEBUG=False,
    SECRET_KEY=secrets.token_urlsafe(50),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="peer",
    # It adds Content-Length. These endpoints need no sessions, cookies or pages: each middleware left out can only save the peer time.
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": os.environ["PEER_DATABASE_PORT"],
            "NAME": os.environ["PEER_DATABASE_NAME"],
            "USER": "postgres",
            # One connection for each of gunicorn's threads, kept; statements prepared by the server.
            "CONN_MAX_AGE": None,
            "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
    USE_I18N=False,
    LOGGING_CONFIG=None,
    OAUTH2_PROVIDER={
        "SCOPES": {"read": "read", "write": "write", "list": "list"},
        "PKCE_REQUIRED": True,
        "OAUTH2_SERVER_CLASS": "endpoints.NoRefreshTokens",
        "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402  # models exist only once the settings do
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from oauth2_provider import views  # noqa: E402
from oauth2_provider.models import Application, Grant  # noqa: E402

REDIRECT_URI = os.environ["PEER_REDIRECT_URI"]
CODES_LIVE = timedelta(minutes=5)


def ready(_request: HttpRequest) -> HttpResponse:
    """Whether it serves."""
    return HttpResponse("ready")


def codes(request: HttpRequest) -> HttpResponse:
    """As many codes as asked for, as sign-in and consent would leave them. Outside of what is measured."""
    made = [secrets.token_urlsafe(32) for _ in range(int(request.GET["count"]))]
    fixed = {"application": Application.objects.get(), "user": User.objects.get(), "redirect_uri": REDIRECT_URI, "scope": "read write list"}
    proof = {"code_challenge": request.GET["challenge"], "code_challenge_method": "S256"}
    ends = timezone.now() + CODES_LIVE
    Grant.objects.bulk_create(Grant(code=code, expires=ends, **fixed, **proof) for code in made)
    return JsonResponse({"codes": made})


urlpatterns = [
    path("token", views.TokenView.as_view()),
    path("introspect", views.IntrospectTokenView.as_view()),
    path("revoke", views.RevokeTokenView.as_view()),
    path("ready", ready),
    path("codes", codes),
]
app = get_wsgi_application()


def prepare() -> None:
    """Tables, a user, the client."""
    call_command("migrate", verbosity=0)
    Application.objects.create(
        client_id=os.environ["PEER_CLIENT_ID"],
        client_secret=os.environ["PEER_CLIENT_SECRET"],
        # Hashed, a secret would cost a password's derivation with every request.
        hash_client_secret=False,
        user=User.objects.create(username="somebody"),
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=REDIRECT_URI,
    )


if __name__ == "__main__":
    prepare()
