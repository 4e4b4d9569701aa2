"""What can be asked of a satellite: the numbers are its own (format page, section 10)."""

from enum import IntEnum


class Action(IntEnum):
    """One kind of request, as caveats judge it."""

    READ = 1
    WRITE = 2
    LIST = 3
    DELETE = 4
    PROJECT_INFO = 5
    LOCK = 6
    PUT_OBJECT_RETENTION = 7
    GET_OBJECT_RETENTION = 8
    PUT_OBJECT_LEGAL_HOLD = 9
    GET_OBJECT_LEGAL_HOLD = 10
    BYPASS_GOVERNANCE_RETENTION = 11
    PUT_BUCKET_OBJECT_LOCK_CONFIGURATION = 12
    GET_BUCKET_OBJECT_LOCK_CONFIGURATION = 13
    PUT_BUCKET_NOTIFICATION_CONFIGURATION = 14
    GET_BUCKET_NOTIFICATION_CONFIGURATION = 15
