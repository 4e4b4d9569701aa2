"""Authlib's authorization server on Flask and SQLAlchemy, as a peer of `bench.compare`: written after its own mixins, stored in PostgreSQL.

From the environment: PEER_DATABASE, PEER_CLIENT_ID, PEER_CLIENT_SECRET, PEER_REDIRECT_URI, PEER_ISSUER.
Run by itself, it makes tables and client.
"""

import os
import secrets
import time
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_query_client_func,
    create_query_token_func,
    create_revocation_endpoint,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, Response, jsonify, request
from joserfc.jwk import OctKey
from sqlalchemy import create_engine, insert
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker

ISSUER = os.environ["PEER_ISSUER"]
CLIENT_ID = os.environ["PEER_CLIENT_ID"]
REDIRECT_URI = os.environ["PEER_REDIRECT_URI"]
SCOPE = "read write list"
METHOD = JWTBearerClientAssertion.CLIENT_AUTH_METHOD

# Each of gunicorn's threads keeps one connection. Objects stay readable after a commit: else each would be fetched again.
engine = create_engine(os.environ["PEER_DATABASE"], pool_size=32, max_overflow=0)
session = scoped_session(sessionmaker(engine, expire_on_commit=False))


class Base(DeclarativeBase):
    """The tables' base."""


class User(Base):
    """Somebody who consented."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)

    def get_user_id(self) -> int:
        """As Authlib asks for it."""
        return self.id


class Client(Base, OAuth2ClientMixin):
    """A registered client."""

    __tablename__ = "clients"
    id: Mapped[int] = mapped_column(primary_key=True)


class Code(Base, OAuth2AuthorizationCodeMixin):
    """A code until it is used: then its row is deleted."""

    __tablename__ = "codes"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]


class Token(Base, OAuth2TokenMixin):
    """An access token."""

    __tablename__ = "tokens"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int]


class UsedJwt(Base):
    """A JWT that was seen."""

    __tablename__ = "used_jwts"
    client_id: Mapped[str] = mapped_column(primary_key=True)
    jti: Mapped[str] = mapped_column(primary_key=True)
    ends: Mapped[int]


class CodeGrant(AuthorizationCodeGrant):
    """The exchange, with Authlib's own checks."""

    TOKEN_ENDPOINT_AUTH_METHODS = (METHOD,)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """The code, if it is this client's and fresh."""
        found = session.query(Code).filter_by(code=code, client_id=client.client_id).first()
        return found if found and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Delete it, and commit that together with the token and the use of the JWT."""
        session.delete(authorization_code)
        session.commit()

    def authenticate_user(self, authorization_code: Code) -> User | None:
        """Whose code it is."""
        return session.get(User, authorization_code.user_id)


class Assertion(JWTBearerClientAssertion):
    """client_secret_jwt, each JWT good once."""

    def get_audiences(self) -> list[str]:
        """The issuer."""
        return [ISSUER]

    def resolve_client_public_key(self, client: Client) -> OctKey:
        """The client's secret."""
        return OctKey.import_key(client.client_secret)

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Remember it, in the same transaction; False if it was there."""
        values = {"client_id": claims["sub"], "jti": jti, "ends": claims["exp"]}
        stored = insert_or_not(UsedJwt).values(values).on_conflict_do_nothing().returning(UsedJwt.jti)
        return session.execute(stored).first() is not None


class Introspection(IntrospectionEndpoint):
    """RFC 7662 for the client's own tokens."""

    CLIENT_AUTH_METHODS = (METHOD,)
    query_token = staticmethod(create_query_token_func(session, Token))

    def check_permission(self, token: Token, client: Client, _request: object) -> bool:
        """Whether it was issued to this client."""
        return bool(token.client_id == client.client_id)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """What is told of a living token; the use of the JWT is committed with it."""
        session.commit()
        ends = token.issued_at + token.expires_in
        return {"active": True, "client_id": token.client_id, "scope": token.scope, "sub": str(token.user_id), "exp": ends, "iss": ISSUER}


class Revocation(create_revocation_endpoint(session, Token)):
    """RFC 7009."""

    CLIENT_AUTH_METHODS = (METHOD,)


def save_token(made: dict[str, Any], asked: Any) -> None:
    """Add the token; `delete_authorization_code` commits. Authlib's own function commits here too, and so waits twice for the disk."""
    session.add(Token(client_id=asked.client.client_id, user_id=asked.user.id, **made))


app = Flask(__name__)
server = AuthorizationServer(app, create_query_client_func(session, Client), save_token)
server.register_client_auth_method(METHOD, Assertion())
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_endpoint(Introspection)
server.register_endpoint(Revocation)


@app.teardown_appcontext
def close_session(_failure: BaseException | None) -> None:
    """Give the connection back."""
    session.remove()


@app.post("/token")
def token() -> Response:
    """The token endpoint."""
    return server.create_token_response()


@app.post("/introspect")
def introspect() -> Response:
    """The introspection endpoint."""
    return server.create_endpoint_response(Introspection.ENDPOINT_NAME)


@app.post("/revoke")
def revoke() -> Response:
    """The revocation endpoint."""
    return server.create_endpoint_response(Revocation.ENDPOINT_NAME)


@app.get("/ready")
def ready() -> str:
    """Whether it serves."""
    return "ready"


@app.get("/codes")
def codes() -> Response:
    """As many codes as asked for, as sign-in and consent would leave them. Outside of what is measured."""
    challenge, now = request.args["challenge"], int(time.time())
    fixed = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "scope": SCOPE, "user_id": 1, "auth_time": now}
    made = [secrets.token_urlsafe(32) for _ in range(int(request.args["count"]))]
    proof = {"code_challenge": challenge, "code_challenge_method": "S256"}
    session.execute(insert(Code), [fixed | proof | {"code": code} for code in made])
    session.commit()
    return jsonify(codes=made)


def prepare() -> None:
    """Tables, a user, the client."""
    Base.metadata.create_all(engine)
    client = Client(client_id=CLIENT_ID, client_secret=os.environ["PEER_CLIENT_SECRET"])
    metadata = {"redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code"], "response_types": ["code"], "scope": SCOPE}
    client.set_client_metadata(metadata | {"token_endpoint_auth_method": METHOD})
    session.add_all([User(id=1), client])
    session.commit()


if __name__ == "__main__":
    prepare()
