"""The error bodies of Google's two APIs, as exceptions.

The Sheets bodies follow recorded answers. The Drive bodies follow Google's published error
reference, whose older shape lists `errors` with a domain and a reason.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queued_gspread.emulator.limits.quotas import Limit

_STATUS_NAMES = {
    HTTPStatus.BAD_REQUEST: "INVALID_ARGUMENT",
    HTTPStatus.UNAUTHORIZED: "UNAUTHENTICATED",
    HTTPStatus.FORBIDDEN: "PERMISSION_DENIED",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.CONFLICT: "ABORTED",
    HTTPStatus.TOO_MANY_REQUESTS: "RESOURCE_EXHAUSTED",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL",
    HTTPStatus.NOT_IMPLEMENTED: "UNIMPLEMENTED",
    HTTPStatus.SERVICE_UNAVAILABLE: "UNAVAILABLE",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}
_MESSAGES = {
    HTTPStatus.UNAUTHORIZED: "Request had invalid authentication credentials.",
    HTTPStatus.FORBIDDEN: "The caller does not have permission",
    HTTPStatus.NOT_FOUND: "Requested entity was not found.",
    HTTPStatus.TOO_MANY_REQUESTS: "Resource has been exhausted (e.g. check quota).",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal error encountered.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The service is currently unavailable.",
}
_DRIVE_REASONS = {
    HTTPStatus.FORBIDDEN: "insufficientFilePermissions",
    HTTPStatus.NOT_FOUND: "notFound",
    HTTPStatus.TOO_MANY_REQUESTS: "rateLimitExceeded",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internalError",
}
_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_HELP = {
    "@type": "type.googleapis.com/google.rpc.Help",
    "links": [
        {
            "description": "Request a higher quota limit.",
            "url": "https://cloud.google.com/docs/quota#requesting_higher_quota",
        }
    ],
}
# What Drive refuses, by its reasons. The first is quoted in burnash/gspread's issue 1592, the
# next in googleapis/google-api-dotnet-client's 990.
_REFUSALS = {
    "storageQuotaExceeded": "The user's Drive storage quota has been exceeded.",
    "exportSizeLimitExceeded": "This file is too large to be exported.",
    "insufficientFilePermissions": ("The user does not have sufficient permissions for this file."),
    "parentNotAFolder": "The specified parent is not a folder.",
    "fileNotDownloadable": (
        "Only files with binary content can be downloaded. Use Export with Docs Editors files."
    ),
    "fieldNotWritable": (
        "The parents field is not directly writable in update requests. Use the addParents and "
        "removeParents parameters instead."
    ),
}
_PLACES = {"parentNotAFolder": "fileId", "fileNotDownloadable": "alt"}
_SHEETS_SERVICE = "sheets.googleapis.com"
_DRIVE = ("Google Drive API", "drive.googleapis.com")
_PROJECT = "1"

_UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential. "
    "See https://developers.google.com/identity/sign-in/web/devconsole-project."
)


class ApiError(Exception):
    """A request is answered with an error: an HTTP status and the JSON body."""

    def __init__(self, status: HTTPStatus, body: dict[str, Any]) -> None:
        """Keep the answer; `str()` gives the message in it."""
        super().__init__(body["error"]["message"])
        self.status = status
        self.body = body


class InvalidArgumentError(Exception):
    """An error in one part of a request, before it is known which part that is."""


def sheets_error(
    status: HTTPStatus, message: str, details: list[dict[str, Any]] | None = None
) -> ApiError:
    """Return an error in the shape of the Sheets API."""
    error: dict[str, Any] = {"code": int(status), "message": message}
    error["status"] = _STATUS_NAMES.get(status, "UNKNOWN")
    if details:
        error["details"] = details
    return ApiError(status, {"error": error})


def invalid(message: str) -> ApiError:
    """Return the Sheets API's 400 with this message."""
    return sheets_error(HTTPStatus.BAD_REQUEST, message)


def too_deep() -> ApiError:
    """Return the 400 for a request whose lists and objects are nested too deeply."""
    return invalid("Invalid JSON payload received. It is nested too deeply.")


def invalid_field(field: str, description: str) -> ApiError:
    """Return the 400 for a request body that does not fit the API's schema."""
    return invalid_fields([(field, description)])


def invalid_fields(found: list[tuple[str, str]], message: str = "") -> ApiError:
    """Return the 400 for several fields, with a description of what is wrong with each."""
    violations = [
        {**({"field": field} if field else {}), "description": description}
        for field, description in found
    ]
    kind = "type.googleapis.com/google.rpc.BadRequest"
    details = [{"@type": kind, "fieldViolations": violations}]
    message = message or "\n".join(description for _, description in found)
    return sheets_error(HTTPStatus.BAD_REQUEST, message, details)


def unknown_field(mask: str, path: str) -> ApiError:
    """Return the 400 for a `fields` mask with a path that leads nowhere."""
    found = f"Cannot find matching fields for path '{path}'."
    description = f"Error expanding 'fields' parameter. {found}"
    return invalid_fields([(mask, description)], "Request contains an invalid argument.")


def unknown_parameter(name: str) -> ApiError:
    """Return the 400 for a query parameter that a method does not have."""
    where = f"Field '{name}' could not be found in request message."
    message = f'Invalid JSON payload received. Unknown name "{name}": '
    return invalid_field("", f"{message}Cannot bind query parameter. {where}")


def sheets_unimplemented(message: str) -> ApiError:
    """Return a 501 for a feature that Google has and the emulator lacks."""
    return sheets_error(HTTPStatus.NOT_IMPLEMENTED, message)


def sheets_not_found() -> ApiError:
    """Return the Sheets API's answer for an unknown spreadsheet."""
    return sheets_error(HTTPStatus.NOT_FOUND, "Requested entity was not found.")


def sheets_forbidden() -> ApiError:
    """Return the Sheets API's answer for a spreadsheet that is not shared with the caller."""
    return sheets_error(HTTPStatus.FORBIDDEN, "The caller does not have permission")


def unauthenticated() -> ApiError:
    """Return the Sheets API's answer to a missing, unknown or expired token."""
    return sheets_error(HTTPStatus.UNAUTHORIZED, _UNAUTHENTICATED)


def drive_error(
    status: HTTPStatus,
    reason: str,
    message: str,
    location: tuple[str, str] | None = None,
    domain: str = "global",
) -> ApiError:
    """Return an error in the shape of the Drive API; location is its type and its name."""
    detail = {"domain": domain, "reason": reason, "message": message}
    if location:
        detail["locationType"], detail["location"] = location
    error = {"errors": [detail], "code": int(status), "message": message}
    return ApiError(status, {"error": error})


def insufficient_scopes(on_sheets: bool) -> ApiError:
    """Return either API's answer to a token that was not granted for this."""
    message = "Request had insufficient authentication scopes."
    service = _SHEETS_SERVICE if on_sheets else "drive.googleapis.com"
    info = {
        "@type": _ERROR_INFO,
        "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
        "domain": "googleapis.com",
        "metadata": {"service": service},
    }
    refused = sheets_error(HTTPStatus.FORBIDDEN, message, [info])
    if not on_sheets:
        reason = {"message": "Insufficient Permission", "domain": "global"}
        refused.body["error"]["errors"] = [reason | {"reason": "insufficientPermissions"}]
    return refused


def api_disabled(on_sheets: bool) -> ApiError:
    """Return either API's answer if it is not enabled, with the link that enables it."""
    name, service = ("Google Sheets API", _SHEETS_SERVICE) if on_sheets else _DRIVE
    url = f"https://console.developers.google.com/apis/api/{service}/overview?project={_PROJECT}"
    message = (
        f"{name} has not been used in project {_PROJECT} before or it is disabled. Enable it by "
        f"visiting {url} then retry. If you enabled this API recently, wait a few minutes for the "
        "action to propagate to our systems and retry."
    )
    info = {
        "@type": _ERROR_INFO,
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {
            "service": service,
            "consumer": f"projects/{_PROJECT}",
            "containerInfo": _PROJECT,
            "serviceTitle": name,
            "activationUrl": url,
        },
    }
    link = {"description": "Google developers console API activation", "url": url}
    help_ = {"@type": _HELP["@type"], "links": [link]}
    refused = sheets_error(HTTPStatus.FORBIDDEN, message, [info, help_])
    if not on_sheets:
        reason = {"message": message, "domain": "usageLimits", "reason": "accessNotConfigured"}
        reason["extendedHelp"] = "https://console.developers.google.com"
        refused.body["error"]["errors"] = [reason]
    return refused


def drive_not_found(drive_id: str) -> ApiError:
    """Return the Drive API's answer for an unknown shared drive."""
    message = f"Shared drive not found: {drive_id}"
    return drive_error(HTTPStatus.NOT_FOUND, "notFound", message, ("parameter", "driveId"))


def quota_exceeded(limit: Limit) -> ApiError:
    """Return either API's answer to one request too many: 429 from Sheets, 403 from Drive."""
    if limit.kind == "drive":
        message = "User Rate Limit Exceeded"
        return drive_error(HTTPStatus.FORBIDDEN, limit.name, message, domain="usageLimits")
    message = (
        f"Quota exceeded for quota metric '{limit.metric}' and limit '{limit.title}' of service "
        f"'{_SHEETS_SERVICE}' for consumer 'project_number:{limit.project}'."
    )
    metadata = {
        "quota_location": "global",
        "quota_metric": f"{_SHEETS_SERVICE}/{limit.kind}_requests",
        "quota_limit_value": str(limit.value),
        "consumer": f"projects/{limit.project}",
        "service": _SHEETS_SERVICE,
        "quota_limit": limit.name,
    }
    info = {
        "@type": _ERROR_INFO,
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": metadata,
    }
    return sheets_error(HTTPStatus.TOO_MANY_REQUESTS, message, [info, _HELP])


def failure(status: HTTPStatus, on_sheets: bool, reason: str = "", message: str = "") -> ApiError:
    """Return either API's answer with a status, whatever the request was."""
    message = message or _MESSAGES.get(status, status.phrase)
    if not on_sheets:
        reason = reason or _DRIVE_REASONS.get(status, "backendError")
        domain = "usageLimits" if "LimitExceeded" in reason else "global"
        return drive_error(status, reason, message, domain=domain)
    info = {"@type": _ERROR_INFO, "reason": reason, "domain": "googleapis.com"}
    return sheets_error(status, message, [info] if reason else None)


def file_not_found(file_id: str) -> ApiError:
    """Return the Drive API's answer for an unknown file, or one not shared with the caller."""
    message = f"File not found: {file_id}."
    return drive_error(HTTPStatus.NOT_FOUND, "notFound", message, ("parameter", "fileId"))


def drive_refusal(reason: str) -> ApiError:
    """Return the Drive API's 403 with this reason."""
    domain = "usageLimits" if reason == "storageQuotaExceeded" else "global"
    where = ("parameter", _PLACES[reason]) if reason in _PLACES else None
    return drive_error(HTTPStatus.FORBIDDEN, reason, _REFUSALS[reason], where, domain)


def fields_required() -> ApiError:
    """Return the Drive API's answer to a request without `fields` where they are required."""
    message = "The 'fields' parameter is required for this method."
    return drive_error(HTTPStatus.BAD_REQUEST, "required", message, ("parameter", "fields"))


def as_drive(error: ApiError) -> ApiError:
    """Return an error that may be in the shape of the Sheets API as Drive's clients read it."""
    found = error.body["error"]
    reason = {"domain": "global", "reason": "badRequest", "message": found["message"]}
    found.setdefault("errors", [reason])
    return error


def drive_invalid(name: str, message: str = "Invalid Value", reason: str = "invalid") -> ApiError:
    """Return the Drive API's 400 for a bad parameter or field."""
    return drive_error(HTTPStatus.BAD_REQUEST, reason, message, ("parameter", name))


def drive_unimplemented(message: str) -> ApiError:
    """Return a 501 for a feature that Drive has and the emulator lacks."""
    return drive_error(HTTPStatus.NOT_IMPLEMENTED, "notImplemented", message)


def drive_unauthenticated() -> ApiError:
    """Return the Drive API's answer to a missing, unknown or expired token."""
    location = ("header", "Authorization")
    refused = drive_error(HTTPStatus.UNAUTHORIZED, "authError", "Invalid Credentials", location)
    refused.body["error"]["message"] = _UNAUTHENTICATED
    refused.body["error"]["status"] = "UNAUTHENTICATED"
    return refused
