"""The causes of refusal by name, each with what to do about it. What each looks like: docs/causes.md."""

from enum import StrEnum
from typing import Self


class Cause(StrEnum):
    """Why a request was refused."""

    remedy: str

    def __new__(cls, name: str, remedy: str) -> Self:
        """A cause is its name; the remedy is one sentence that says what to do."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.remedy = remedy
        return made

    RETIRED_SECRET = ("retired_secret", "Sign with the secret that was handed out last; this older one no longer authenticates.")
    HASH_OF_SECRET = ("hash_of_secret", "Sign with the secret itself, character for character as it was handed out, not with a hash of it.")
    SECRET_WITH_WHITESPACE = (
        "secret_with_whitespace",
        "Strip white space and line ends from the secret after reading it: a newline at the end of a file is the classic.",
    )
    SECRET_HEX_DECODED = ("secret_hex_decoded", "Use the secret's characters as key bytes (UTF-8); do not decode them from hex.")
    SECRET_BASE64_DECODED = (
        "secret_base64_decoded",
        "Use the secret's characters as key bytes (UTF-8); do not decode them from base64. Some JWT libraries do that unasked.",
    )
    SECRET_BASE64_ENCODED = (
        "secret_base64_encoded",
        "Decode the secret from base64 once before you use it: what was read is how it is stored, not the secret.",
    )
    SECRET_DOLLAR_STRIPPED = (
        "secret_dollar_stripped",
        "Put the secret into single quotes where a shell or compose file reads it: a part that begins with $ was replaced.",
    )
    SECRET_URL_ENCODED = ("secret_url_encoded", "Use the secret as it was handed out; it was percent-encoded or decoded on its way.")
    SECRET_QUOTED = ("secret_quoted", "Remove the quotes around the secret: they were taken for a part of it.")
    SECRET_TRUNCATED = ("secret_truncated", "Use the whole secret; the one that signed was cut off.")
    CLIENT_ID_AS_KEY = ("client_id_as_key", "Sign with the client's secret; the client_id was used as the key.")
    SECRET_OF_ANOTHER_CLIENT_OF_YOURS = (
        "secret_of_another_client_of_yours",
        "Use the secret that belongs to this client_id; this one belongs to another of your clients.",
    )
    UNKNOWN_KEY = (
        "unknown_key",
        (
            'Compare the fingerprint of your secret with the one here: yours is shown by printf %s "$SECRET" | sha256sum, in its first '
            "eight digits. If they differ, regenerate the secret and deploy the new one; if they are equal, look for what changes the "
            "JWT, or the secret, on its way here."
        ),
    )
    RAW_SECRET_SENT = ("raw_secret_sent", "Send a JWT signed with the secret, and regenerate the secret now, for it has crossed the wire.")
    CLIENT_UNKNOWN = (
        "client_unknown",
        "Check the client_id against the one in your developer account; it must be equal character for character.",
    )
    CLIENT_DELETED = ("client_deleted", "Register the app again: a deleted client does not come back, and its client_id stays taken.")
    CLIENT_DISABLED = ("client_disabled", 'Enable the client again: PATCH …/clients/{id}/status with {"status": 1}.')
    CLIENT_ID_WHITESPACE = ("client_id_whitespace", "Remove the white space from the client_id.")
    CLIENT_ID_IS_ROW_ID = ("client_id_is_row_id", "Send the client_id; what was sent is the client's row id.")
    CLIENT_ID_IS_NAME = ("client_id_is_name", "Send the client_id; what was sent is the app's name.")
    CLIENT_ID_CASE = ("client_id_case", "Send the client_id in the case in which it was handed out.")
    CLIENT_ID_MISTYPED = ("client_id_mistyped", "Copy the client_id anew; a character or two differ.")
    ASSERTION_EXPIRED = (
        "assertion_expired",
        "Sign a fresh JWT for each request; if it was fresh, set the clock of the machine that signs.",
    )
    CLOCK_AHEAD = ("clock_ahead", "Set the clock of the machine that signs (NTP); it runs ahead of the server's.")
    EXP_MISSING = ("exp_missing", "Put exp into the JWT: Unix seconds, at most 5 minutes ahead.")
    EXP_IN_MILLISECONDS = (
        "exp_in_milliseconds",
        "Give exp in seconds, not in milliseconds: in JavaScript, Math.floor(Date.now() / 1000) + 240.",
    )
    EXP_TOO_FAR = ("exp_too_far", "Let the JWT end at most 5 minutes ahead.")
    EXP_NOT_A_NUMBER = ("exp_not_a_number", "Give exp as a JSON number of Unix seconds, without quotes.")
    ALG_MISMATCH = ("alg_mismatch", "Sign with HS256.")
    ALG_NONE = ("alg_none", "Sign the JWT with HS256 and the client's secret; it is not signed at all.")
    ALG_ASYMMETRIC = ("alg_asymmetric", "Sign with HS256 and the client's secret; this server has no public key of yours.")
    CRIT_UNSUPPORTED = ("crit_unsupported", "Leave the crit header out of the JWT.")
    CLAIM_CLIENT_ID_MISMATCH = ("claim_client_id_mismatch", "Put the same client_id into the JWT and into the body.")
    CLAIM_MISSING = ("claim_missing", "Put client_id into the claims of the JWT, as a string; sub and iss do not stand in for it.")
    ISS_MISMATCH = ("iss_mismatch", "Set iss of a client_assertion to the client_id.")
    SUB_MISMATCH = ("sub_mismatch", "Set sub of a client_assertion to the client_id.")
    AUD_MISSING = ("aud_missing", "Set aud of a client_assertion to this server's issuer or token URL.")
    ASSERTION_TYPE_WRONG = (
        "assertion_type_wrong",
        "Send client_assertion_type with the value urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
    )
    AUD_MISMATCH = ("aud_mismatch", "Leave aud out, or set it to this server's issuer or token URL.")
    ASSERTION_REPLAYED = ("assertion_replayed", "Sign a new JWT, with a jti of its own, for each exchange, also when you try again.")
    ASSERTION_EXPOSED = (
        "assertion_exposed",
        "Sign a fresh JWT for each token request; the one in the URL of the integration page is good for that page only.",
    )
    AUTH_METHOD_MISMATCH = (
        "auth_method_mismatch",
        "Send a JWT in the field client_secret of the body; this client does not authenticate by the Authorization header.",
    )
    BASIC_MALFORMED = ("basic_malformed", "Send Basic and, in base64, the form-encoded client_id, a colon and the form-encoded secret.")
    BASIC_NOT_FORM_ENCODED = (
        "basic_not_form_encoded",
        "Form-encode client_id and secret before you join them with a colon and encode them in base64 (RFC 6749 section 2.3.1).",
    )
    MULTIPLE_AUTH_METHODS = (
        "multiple_auth_methods",
        "Leave the Authorization header out; the JWT in client_secret is all that counts here.",
    )
    NO_CREDENTIALS = ("no_credentials", "Send client_secret in the body: a JWT signed with the client's secret.")
    BEARER_PREFIX_IN_FIELD = ("bearer_prefix_in_field", "Send the bare JWT in client_secret, without the word Bearer.")
    BODY_CONTENT_TYPE = (
        "body_content_type",
        "Send the body as JSON (Content-Type: application/json); an OAuth library, which sends forms, wants /oauth2/token.",
    )
    BODY_MALFORMED = ("body_malformed", "Send one JSON object in UTF-8, each name once.")
    BODY_TOO_LARGE = ("body_too_large", "Send a body of at most 64 KiB.")
    FIELD_IN_QUERY_STRING = ("field_in_query_string", "Send the fields in the JSON body; in the URL they end up in logs.")
    FIELD_MISNAMED = ("field_misnamed", "Use the field's name as the contract has it.")
    FIELD_MISSING = ("field_missing", "Add the field that is missing or empty.")
    FIELD_WRONG_TYPE = ("field_wrong_type", "Send the field with the type that the contract gives it.")
    GRANT_TYPE_UNSUPPORTED = ("grant_type_unsupported", "Send grant_type=authorization_code; there is no other here.")
    PASSPHRASE_MISSING = (
        "passphrase_missing",
        "Send the same request again with passphrase; nothing was used up. Or let the user give it on the consent page.",
    )
    TOKEN_OF_ANOTHER_CLIENT = ("token_of_another_client", "Give back a key with the client that it was issued to.")
    ASSERTION_MALFORMED = (
        "assertion_malformed",
        "Send the JWT exactly as the library made it: three base64url parts with dots between them and nothing else.",
    )
    REDIRECT_URI_MISMATCH = (
        "redirect_uri_mismatch",
        "Send the redirect_uri exactly as it was registered and used in the request, character for character.",
    )
    CODE_UNKNOWN = ("code_unknown", "Send the code exactly as it came to the redirect URI; if it did, ask the user again.")
    CODE_EXPIRED = ("code_expired", "Exchange the code at once: it lives 30 seconds. Ask the user again.")
    CODE_ALREADY_USED = (
        "code_already_used",
        (
            "Exchange each code once: mostly a callback is handled twice, by a page loaded again or by two workers. If yours is not, "
            "somebody else has seen the code. Ask the user again."
        ),
    )
    CODE_OF_ANOTHER_CLIENT = ("code_of_another_client", "Exchange the code with the client that asked for it.")
    CODE_NOT_APPROVED = ("code_not_approved", "Send the code that the redirect carries after the user has approved, not the request_id.")
    CODE_TRUNCATED = ("code_truncated", "Take the whole code out of the redirect: parse the URL's query instead of cutting it by hand.")
    CONSENT_ENDED = ("consent_ended", "Ask the user again: the consent was withdrawn or has ended.")
    PKCE_MISSING = ("pkce_missing", "Send the code_verifier that belongs to the code_challenge of the request.")
    PKCE_UNEXPECTED = ("pkce_unexpected", "Leave code_verifier out, or send a code_challenge with the request.")
    PKCE_MISMATCH = (
        "pkce_mismatch",
        "Send the very code_verifier whose S256 challenge went with the request; keep it for each request apart.",
    )
    PKCE_METHOD_PLAIN = ("pkce_method_plain", "Use code_challenge_method S256; plain is not accepted.")
    PKCE_VERIFIER_IS_CHALLENGE = ("pkce_verifier_is_challenge", "Send the code_verifier, not the code_challenge again.")
    PKCE_HEX_DIGEST = ("pkce_hex_digest", "Encode the SHA-256 of the verifier with base64url without padding, not as hex.")
    PKCE_CHALLENGE_MALFORMED = (
        "pkce_challenge_malformed",
        "Send a code_challenge of 43 base64url characters: the SHA-256 of the verifier, without padding.",
    )
    SCOPE_UNKNOWN = ("scope_unknown", "Ask for read, write, list, delete, lock and bucket:NAME;PREFIX only.")
    SCOPE_NOT_REGISTERED = ("scope_not_registered", "Ask only for what the client has registered, or register more.")
    SCOPE_NOT_REQUESTED = ("scope_not_requested", "Approve only what was requested, and at least one of the requested places.")
    SCOPE_NO_PERMISSION = (
        "scope_no_permission",
        "Ask for an action too (read, write, list, delete or lock): a bucket alone permits nothing.",
    )
    SCOPE_SYNTAX = ("scope_syntax", "Percent-encode what is not allowed in a bucket scope: bucket:NAME;PREFIX.")
    SCOPES_TOO_LONG = (
        "scopes_too_long",
        "Ask for fewer places, or for a bucket in the place of many prefixes: at most 100 scopes, and 24,000 characters of places.",
    )
    SCOPE_CONTRADICTION = ("scope_contradiction", "Name each scope either approved or rejected.")
    METHOD_NOT_ALLOWED = (
        "method_not_allowed",
        "Send the request with the method that the verdict names; what a POST says belongs in its body, never in the URL.",
    )
    SESSION_MISSING = (
        "session_missing",
        "Have the user sign in, and send their session token with the request: as Authorization: Bearer, or as the cookie _tokenKey.",
    )
    ORIGIN_FOREIGN = (
        "origin_foreign",
        "Send the user's session token as Authorization: Bearer: with the cookie, only pages of this server may send this.",
    )
    PROJECT_MISSING = ("project_missing", "Have the user make a project, then ask again.")
    PROJECT_NOT_OWNED = ("project_not_owned", "Name a project of the user who is signed in.")
    RESPONSE_TYPE_UNSUPPORTED = ("response_type_unsupported", "Send response_type=code; there is no other here.")
    STATE_TOO_LONG = ("state_too_long", "Send a state of at most 4,096 characters; keep the rest on your side.")
    REQUEST_UNKNOWN = ("request_unknown", "Use the request_id that the request answered with.")
    REQUEST_NOT_YOURS = ("request_not_yours", "Let the user who was asked decide: another one is signed in.")
    REQUEST_NOT_PENDING = ("request_not_pending", "Make a new request: this one has been answered.")
    REQUEST_EXPIRED = ("request_expired", "Make a new request: one must be answered within 60 seconds.")
    RATE_LIMITED = ("rate_limited", "Wait as long as Retry-After says, and send fewer requests.")
    SERVER_FAULT = ("server_fault", "Nothing on your side is wrong: try again shortly, and give the operator the trace_id if it stays.")
    UNKNOWN = ("unknown", "Give the operator the trace_id: the server could not tell why it refused.")
