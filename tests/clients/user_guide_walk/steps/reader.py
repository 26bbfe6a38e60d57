"""What the reader of the guide has: buckets, permissions to expect, and the keys of earlier steps."""

from tools import Token, check, token

BUCKET = "user-guide-overview"
# The bucket of the guide's reader, who begins with no token.
OWN = "user-guide-bucket"
OTHER = "user-guide-other"
ALL = ("read", "list", "write", "delete")
PERMISSIONS = {
    "read-only": {"read": "", "list": "", "write": "AccessDenied", "delete": "AccessDenied"},
    "write-only": {"read": "AccessDenied", "list": "AccessDenied", "write": "", "delete": "AccessDenied"},
    "read-write": dict.fromkeys(ALL, ""),
}
made: dict[str, Token] = {}


def holds_to(permission: str) -> None:
    of = token(BUCKET, permission, permission)
    for action, code in PERMISSIONS[permission].items():
        found = of.may(action)
        check(found == code, f"{permission}: {action} gives {found!r}, not {code!r}")
