"""A satellite's identity: a key pair, and the node id that follows from it (format page: docs/access-grant-format.md, node id)."""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from grantway.access_grant.node_url import node_id


def make() -> tuple[bytes, bytes]:
    """A new node id and its private key as PKCS #8 DER: P-256, as Storj's identities are."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return node_id(public), private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
