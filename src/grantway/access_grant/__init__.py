"""Storj's and StorX's access grants, byte for byte, in pure Python: no network, no clock, no randomness of its own."""

from grantway.access_grant.action import Action
from grantway.access_grant.allowance import Allowance
from grantway.access_grant.api_key import ApiKey, may_revoke
from grantway.access_grant.caveat import AllowedPath, Caveat
from grantway.access_grant.encryption_access import EncryptionAccess
from grantway.access_grant.encryption_store import StoreEntry
from grantway.access_grant.errors import Malformed, NotPermitted
from grantway.access_grant.grant import AccessGrant, key_in
from grantway.access_grant.node_url import NodeURL, format_node_id, node_id, parse_node_id
from grantway.access_grant.path_encryption import PathCipher
from grantway.access_grant.permission import FlagSet, Permission
from grantway.access_grant.satellite_check import Allowed, Denied, allowed_buckets, check
from grantway.access_grant.share_prefix import SharePrefix
from grantway.access_grant.timestamp import Duration, Timestamp

__all__ = [
    "AccessGrant",
    "Action",
    "Allowance",
    "Allowed",
    "AllowedPath",
    "ApiKey",
    "Caveat",
    "Denied",
    "Duration",
    "EncryptionAccess",
    "FlagSet",
    "Malformed",
    "NodeURL",
    "NotPermitted",
    "PathCipher",
    "Permission",
    "SharePrefix",
    "StoreEntry",
    "Timestamp",
    "allowed_buckets",
    "check",
    "format_node_id",
    "key_in",
    "may_revoke",
    "node_id",
    "parse_node_id",
]
