"""Checks an account that lends its quota: its token, its project's APIs, and one spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread.broker import FINE

from .findings import Finding, failed, ok, warned
from .of_credentials import PATIENCE, token_trouble
from .of_google import Google
from .remedies import explain, share_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from queued_gspread.broker import AccountAtWork
    from queued_gspread.server.google.lenders import Lender

__all__ = ["lender_finding", "published_findings"]

_SHEETS: Final = "sheets api"
_SPREADSHEET: Final = "spreadsheet"
_WRITING: Final = "writing"
_UNSEEN: Final = (
    "whether it may use this spreadsheet only a check with the key files says, in a namespace "
    "without a server"
)
_LOOK: Final = "look at its key file, on the server's machine; the server's log says more"


def lender_finding(number: int, lender: Lender, key: str | None) -> Finding:
    """Return what is found about an account that lends its quota.

    Args:
        number: Its place among the server's accounts; the first one's is 1.
        lender: The account.
        key: The id of the spreadsheet that is looked at; None for none.

    """
    name, whose = f"account {number}", f"{lender.name} of project {lender.project}"
    lender.http.set_timeout(PATIENCE)
    error = token_trouble(lender.tokens)
    if error is not None:
        told, remedy = explain(error, lender.name)
        return failed(name, f"{whose} gets no token: {told}", remedy)
    google = Google(lender.http.request, lender.name)
    google.reach()
    found = {finding.name: finding for finding in google.findings(key)}
    if found[_SHEETS].remedy:
        return failed(name, f"{whose}: {found[_SHEETS].told}", found[_SHEETS].remedy)
    return _of_spreadsheet(name, whose, found, lender.name)


def published_findings(
    accounts: Sequence[AccountAtWork], *, is_of_spreadsheet: bool
) -> Iterator[Finding]:
    """Yield what the server that works says of the accounts that lend it their quota.

    Args:
        accounts: The server's accounts.
        is_of_spreadsheet: Whether a spreadsheet is looked at: a request through the queue does not
            say which account it goes out under, so what each may do there is not seen.

    """
    unseen = f"; {_UNSEEN}" if is_of_spreadsheet else ""
    for number, account in enumerate(accounts[1:], 2):
        name, whose = f"account {number}", f"{account.name} of project {account.project}"
        if account.token == FINE:
            yield ok(name, f"{whose} has a token{unseen}")
        else:
            yield failed(name, f"{whose} lends nothing: {account.token}", _LOOK)


def _of_spreadsheet(name: str, whose: str, found: dict[str, Finding], account: str) -> Finding:
    if found[_SPREADSHEET].remedy:
        told = f"{whose} lends nothing for this spreadsheet, which is not shared with it"
        return warned(name, told, share_with(account))
    if found[_WRITING].status == "failed":
        told = f"{whose} lends reads alone for this spreadsheet: {found[_WRITING].told}"
        return warned(name, told, found[_WRITING].remedy)
    may = ", and may change this spreadsheet" if found[_WRITING].status == "ok" else ""
    return ok(name, f"{whose} has a token{may}")
