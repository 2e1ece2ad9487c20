"""What Google's token endpoint checks in an assertion besides its signature; pure."""

from __future__ import annotations

from typing import Any

AUDIENCES = {
    "/token": "https://oauth2.googleapis.com/token",
    "/o/oauth2/token": "https://accounts.google.com/o/oauth2/token",
}
"""The token endpoint's paths, the older one last, each with the audience that it takes.

google-auth signs for the first, whatever a key file's ``token_uri`` says.
"""
_LONGEST = 3600
# Seconds; not documented, and about what users report.
_TOLERANCE = 300
_TIMES = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)


def fault_of(claims: dict[str, Any], audience: str, own: str, now: float) -> str:
    """Return Google's description of what is wrong with the claims; '' if nothing is.

    Args:
        claims: The claims.
        audience: The audience that the endpoint takes.
        own: The endpoint's own URL, which it takes as well.
        now: Google's time.

    """
    if claims.get("aud") not in (audience, own):
        return f"Invalid JWT: Failed audience check. The right audience is {audience}"
    begins, ends = claims.get("iat"), claims.get("exp")
    if not isinstance(begins, (int, float)) or not isinstance(ends, (int, float)):
        return _TIMES
    is_timely = begins <= now + _TOLERANCE and ends > now
    return "" if is_timely and ends - begins <= _LONGEST else _TIMES
