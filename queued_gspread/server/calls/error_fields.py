"""What the log and Redis say about an error: status, reason and message, without any value. Pure.

Google's messages quote what they are about: a title, a range, a part of the request with its cells.
So everything that may be user data is cut out, and only Google's own prose is left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError
from gspread.exceptions import APIError, GSpreadException

from queued_gspread.broker import FAILED, FailedCall, listed_jobs
from queued_gspread.broker.listed_jobs import method_and_caller
from queued_gspread.errors import (
    AccountMismatchError,
    CallTimeoutError,
    MessageTooLargeError,
    PoisonedJobError,
    SignatureError,
)
from queued_gspread.google_api.responses import error_in
from queued_gspread.protocol.codec.scrub import clean
from queued_gspread.server.google.token_errors import told_of
from queued_gspread.server.policy.request import Failure
from queued_gspread.server.policy.verdict import judge

from .titles import quoted, sheet_title, spreadsheet_title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from queued_gspread.broker import Entry
    from queued_gspread.protocol.messages import Job

__all__ = ["fields_of", "kept_of", "without_values"]

_LONGEST: Final = 300
_MOST_KEPT: Final = 2000
_NO_ANSWER: Final = (requests.RequestException, GoogleAuthError, ConnectionError, TimeoutError)
# These contain only the server's own words, and what a job says of its sender.
_OWN_WORDS: Final = (
    AccountMismatchError,
    CallTimeoutError,
    MessageTooLargeError,
    PoisonedJobError,
)
_CUT: Final = "…"
_NAME: Final = re.compile(r"[A-Za-z_]{1,60}")
# From the first quotation mark to the last, or to the end: the quoted text may contain such marks.
_QUOTED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r'"(?:.*"|.*)',
        r"(?<!\w)'(?:.*'|.*)",
        r"`(?:.*`|.*)",
        r"[“„«\u2018\u2039](?:.*[”“»\u2019\u203a]|.*)",
    )
)
# A list, a message in the text format of protocol buffers, or what follows some words in brackets.
_NESTED: Final = re.compile(r"\{.*|\[(?!\d{1,6}\]).*|\((?:.*\)|.*)")
_NUMBER: Final = re.compile(r"(?<![\w\[./=?&-])[-+]?\d[\w.,:%/+-]*")
_ADDRESS: Final = re.compile(r"(?<!\S)[^\s@]*@\S*|(?<=\s)=\S.*")
# Unquoted text after such words, or in a list after a part that was cut out.
_BARE: Final = re.compile(rf"(, was|\bwith id|{_CUT},) .*")
# A value follows a colon, unless the text before it says where something is wrong.
_PLACE: Final = re.compile(rf"(?:^|\s)Invalid \w+\[\d+\][\w.\[\]]*$|{_CUT}$")


def fields_of(error: BaseException | None, job: Job | None = None) -> dict[str, Any]:
    """Return what the log says about an error; nothing about errors that gspread itself raises.

    Args:
        error: The error.
        job: A job, if none of its arguments and titles may be said, however the message has them.

    """
    if not isinstance(error, APIError):
        message = _instead_of_answer(error)
        return {"error_message": message} if message else {}
    answer = getattr(error, "response", None)
    body = error_in(answer) if answer is not None else {}
    status, text = getattr(answer, "status_code", None), body.get("message")
    fields = {
        "http_status": status if isinstance(status, int) and status > 0 else None,
        "error_status": _name(body.get("status")),
        "error_reason": _reason(body),
        "error_message": without_values(text, _texts_of(job)) if isinstance(text, str) else None,
    }
    return {name: value for name, value in fields.items() if value}


def kept_of(error: BaseException, entry: Entry, job: Job | None, sort: str = FAILED) -> bytes:
    """Return what is kept in Redis of a call that failed.

    Args:
        error: How it failed.
        entry: Its job.
        job: The same, if it could be read. Of one that servers have died of, only the beginning is
            looked at, as plain JSON.
        sort: What sort of failure it is.

    """
    said = fields_of(error, job)
    own = _shown(str(error)) if isinstance(error, _OWN_WORDS) else ""
    method, caller = (
        _of_beginning(entry) if job is None else (job.name, ":".join(map(str, job.caller)))
    )
    call = FailedCall(
        job_id=entry.job_id,
        method=quoted(method)[1:-1],
        spreadsheet=quoted(entry.spreadsheet)[1:-1],
        caller=quoted(caller)[1:-1],
        sort=sort,
        title=spreadsheet_title(job),
        sheet=sheet_title(job),
        is_unattended=job is not None and job.is_unattended,
        error=type(error).__name__,
        message=said.get("error_message", own),
        http_status=said.get("http_status", 0),
        error_status=said.get("error_status", ""),
        error_reason=said.get("error_reason", ""),
    )
    kept = call.encode()
    return kept if len(kept) < _MOST_KEPT else replace(call, title="", sheet="").encode()


def _of_beginning(entry: Entry) -> tuple[str, str]:
    return method_and_caller(listed_jobs.fields_of(entry.body[: listed_jobs.WHOLE]))


def _instead_of_answer(error: BaseException | None) -> str:
    """Return why Google did not answer a call; '' if the error may contain a value."""
    if isinstance(error, SignatureError):
        return _shown(str(error))  # contains only the server's own words
    if isinstance(error, GSpreadException) or not isinstance(error, _NO_ANSWER):
        return ""
    if isinstance(error, RefreshError):
        return _shown(_ADDRESS.sub(_CUT, told_of(error)))
    return judge(Failure(error)).why


def _texts_of(job: Job | None) -> Iterator[str]:
    """Yield each text among a job's arguments, and in what it is for, and the parts of ranges."""
    left: list[Any] = [] if job is None else [job.args, job.kwargs, job.target]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield from (value, *(part.strip(" '") for part in value.split("!")))
        elif isinstance(value, Mapping):
            left += value.values()
        elif isinstance(value, (list, tuple)):
            left += value


def without_values(message: str, texts: Iterable[str] = ()) -> str:
    """Return a message's first line, bounded and printable, without what may be a value.

    Args:
        message: The message.
        texts: What is certainly a value, even where Google does not quote it.

    """
    line = (message.splitlines() or [""])[0]
    small = line.casefold()
    for text in sorted({each for each in texts if each and each.casefold() in small}, key=len)[
        ::-1
    ]:
        line = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", _CUT, line, flags=re.IGNORECASE)
    for pattern in _QUOTED:
        line = pattern.sub(_CUT, line)
    line = _without_ends(_ADDRESS.sub(_CUT, _NESTED.sub(_CUT, line)))
    return _shown(_BARE.sub(rf"\1 {_CUT}", _NUMBER.sub(_CUT, line)))


def _shown(line: str) -> str:
    line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in clean(line))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}{_CUT}"


def _without_ends(line: str) -> str:
    """Cut a line at the first colon that a value may follow."""
    for colon in re.finditer(r":\s", line):
        if not _PLACE.search(line[: colon.start()]):
            return f"{line[: colon.end()]}{_CUT}"
    return line


def _reason(body: dict[str, Any]) -> str:
    """Return the reason from the details of Google's error, or from Drive's older form."""
    for name in ("details", "errors"):
        parts = body.get(name)
        for part in parts if isinstance(parts, list) else ():
            reason = _name(part.get("reason")) if isinstance(part, dict) else ""
            if reason:
                return reason
    return ""


def _name(value: object) -> str:
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""
