"""curl's options by name (curl 8): which of them take a value, and which change a request in a way that is not looked at here."""

import re

_VALUED = """\
abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to continue-at cookie cookie-jar
create-file-mode crlfile curves data data-ascii data-binary data-raw data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr
dns-servers doh-url dump-header ech egd-file engine etag-compare etag-save expect100-timeout form form-string ftp-account
ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip header hostpubmd5 hostpubsha256
hsts interface ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type knownhosts krb libcurl limit-rate local-port
login-options mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir
parallel-max parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath proxy-cert
proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name
proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey quote random-file range rate referer
request request-target resolve retry retry-delay retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5
socks5-gssapi-service socks5-hostname speed-limit speed-time ssl-sessions stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers
tlsauthtype tlspassword tlsuser trace trace-ascii trace-config unix-socket upload-file upload-flags url url-query user user-agent variable
vlan-priority write-out
"""
_BARE = """\
anyauth append basic ca-native cert-status clobber compressed compressed-ssh create-dirs crlf digest disable disable-eprt disable-epsv
disallow-username-in-url doh-cert-status doh-insecure dump-ca-embed fail fail-early fail-with-body false-start follow form-escape
ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control get globoff haproxy-protocol head help http0.9 http1.0
http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length include insecure ipv4 ipv6 junk-session-cookies keepalive
list-only location location-trusted mail-rcpt-allowfails manual metalink mptcp negotiate netrc netrc-optional next no-alpn no-buffer
no-clobber no-keepalive no-npn no-progress-meter no-sessionid ntlm ntlm-wb out-null parallel parallel-immediate path-as-is post301 post302
post303 progress-bar progress-meter proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate
proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel raw remote-header-name remote-name remote-name-all
remote-time remove-on-error retry-all-errors retry-connrefused sasl-ir show-error silent skip-existing socks5-basic socks5-gssapi
socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2 sslv3 styled-output
suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids
trace-time use-ascii verbose version xattr
"""
_CHANGING = """\
anyauth aws-sigv4 crlf digest form-escape help manual negotiate netrc netrc-file netrc-optional next ntlm ntlm-wb request-target
upload-file url-query variable version
"""
"""How it authenticates otherwise than by Basic, what else is sent, or that nothing is."""
_TAKE_VALUES = frozenset(_VALUED.split())
_TAKE_NONE = frozenset(_BARE.split())
_NOT_LOOKED_AT = frozenset(_CHANGING.split())

SHORT = {
    "A": "user-agent", "b": "cookie", "c": "cookie-jar", "C": "continue-at", "d": "data", "D": "dump-header", "e": "referer", "E": "cert",
    "F": "form", "G": "get", "H": "header", "I": "head", "K": "config", "m": "max-time", "o": "output", "P": "ftp-port", "Q": "quote",
    "r": "range", "t": "telnet-option", "T": "upload-file", "u": "user", "U": "proxy-user", "w": "write-out", "x": "proxy", "X": "request",
    "y": "speed-time", "Y": "speed-limit", "z": "time-cond", "a": "append", "q": "disable", "f": "fail", "g": "globoff", "h": "help",
    "0": "http1.0", "i": "include", "k": "insecure", "4": "ipv4", "6": "ipv6", "j": "junk-session-cookies", "l": "list-only",
    "L": "location", "M": "manual", "n": "netrc", ":": "next", "N": "no-buffer", "Z": "parallel", "#": "progress-bar", "p": "proxytunnel",
    "J": "remote-header-name", "O": "remote-name", "R": "remote-time", "S": "show-error", "s": "silent", "2": "sslv2", "3": "sslv3",
    "1": "tlsv1", "B": "use-ascii", "v": "verbose", "V": "version",
}  # fmt: skip
"""The long names of the options of one letter."""
MOST_NAMED = 10
_NAME = re.compile(r"[a-z][a-z0-9.-]{0,29}")
_NAMELESS = "one that is no option of curl's"


def takes_value(name: str) -> bool:
    """Whether the next word is the value of this long option."""
    return name.removeprefix("expand-") in _TAKE_VALUES


def is_known(name: str) -> bool:
    """Whether curl has this long option. Behind another one a value may stand, or none."""
    return takes_value(name) or name in _TAKE_NONE or name.removeprefix("no-") in _TAKE_NONE


def is_looked_at(name: str) -> bool:
    """Whether the request is read as it is with this long option: it is read itself, or changes nothing that is judged."""
    return is_known(name) and name not in _NOT_LOOKED_AT and not name.startswith("expand-")


def named(name: str) -> str:
    """How people write an option that is no known one, perhaps; never what might be a value, for values may be secrets."""
    before = name.partition("=")[0]
    if before.startswith("-"):
        return before if before.isascii() and before.isprintable() else _NAMELESS
    return f"--{before}" if _NAME.fullmatch(before) else _NAMELESS
