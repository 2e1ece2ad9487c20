"""Several accounts: under which one a request goes out, and what its answer says about that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from google.auth.exceptions import GoogleAuthError

from queued_gspread.server.log import LOGGER
from queued_gspread.server.pacing.lending import OWN
from queued_gspread.server.policy.lendable import (
    concerns_account,
    is_denied,
    may_be_lent,
    shows_right_to_write,
    spreadsheet_of,
)
from queued_gspread.server.policy.request import Failure, Response
from queued_gspread.server.policy.verdict import Verdict, VerdictKind

from .outgoing import SendResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from queued_gspread.broker import Permit, QuotaState, Slot
    from queued_gspread.server.google.token_state import AnyTokens
    from queued_gspread.server.google.transport import Transport
    from queued_gspread.server.pacing.lending import Lending
    from queued_gspread.server.pacing.quota import Quota
    from queued_gspread.server.policy.request import Request

    from .outgoing import OutgoingRequest

__all__ = ["Loans"]

_LENT_KINDS: Final = ("read", "write")
_NOT_LENT: Final = (VerdictKind.NOT_LENT, VerdictKind.UNAUTHENTICATED)
_DENIED: Final = (
    "%s may not %s spreadsheet %s (%s): for ten minutes, such requests to it go out under other "
    "accounts. Share it with that account if it is to lend its quota for it"
)


class Loans:
    """Decides under which account each request goes out, where accounts lend their quota.

    Args:
        lending: Knows which account may be asked.
        quota: How many requests each account may send.
        transports: The way to Google of each account that lends, by its name.
        tokens: The access tokens of each.

    """

    def __init__(
        self,
        lending: Lending,
        quota: Quota,
        transports: Mapping[str, Transport],
        tokens: Mapping[str, AnyTokens],
    ) -> None:
        self.lending = lending
        self._quota = quota
        self._transports = transports
        self._tokens = tokens

    def widened(self, slot: Slot, outgoing: OutgoingRequest) -> Slot:
        """Return a request's slot, as one of any account if it may go out under another."""
        accounts = self._accounts(slot, outgoing)
        if len(accounts) == 1:
            return slot
        return replace(slot, limit=self._total(slot.kind), may_be_lent=True)

    def slot_of(self, slot: Slot, account: str) -> Slot:
        """Return the slot that an account is asked for."""
        project = self.lending.project(account, slot.kind)
        return replace(slot, account=account, limit=self._quota.limit(slot.kind), project=project)

    def _others(self, slot: Slot) -> list[Slot]:
        """Return slots of the other accounts of a slot's project, which no request has."""
        siblings = self.lending.siblings(slot.account)
        return [self.slot_of(slot, name) for name in siblings if name != slot.account]

    def transport(self, account: str) -> Transport:
        """Return a lender's way to Google."""
        return self._transports[account]

    def ask(
        self, outgoing: OutgoingRequest, slot: Slot, acquire: Callable[[Slot], Permit]
    ) -> Permit:
        """Ask one account after the other; return the first answer that is not to wait.

        If all say so, the shortest wait.
        """
        accounts = self._accounts(slot, outgoing)
        if len(accounts) == 1 or not slot.may_be_lent:
            return self._ask(OWN, slot, acquire)
        waits = []
        for account in self.lending.in_order(slot.kind, accounts):
            permit = self.lending.resting(account, slot.kind) or self._ask(account, slot, acquire)
            if permit.word != "wait":
                return replace(permit, limit=self._total(slot.kind))
            waits.append(permit)
        soonest = min(waits, key=lambda permit: permit.wait)
        return replace(soonest, limit=self._total(slot.kind))

    def _ask(self, account: str, slot: Slot, acquire: Callable[[Slot], Permit]) -> Permit:
        permit = acquire(self.slot_of(slot, account))
        if slot.kind:
            self.lending.told(account, slot.kind, permit)
        return permit

    def _accounts(self, slot: Slot, outgoing: OutgoingRequest) -> list[str]:
        """Return the accounts under which a request may go out now."""
        if slot.kind not in _LENT_KINDS or outgoing.is_own:
            return [OWN]
        requests = [call.request for call in outgoing.calls]
        spreadsheets = {spreadsheet_of(request) for request in requests}
        if len(spreadsheets) > 1 or not all(map(may_be_lent, requests)):
            return [OWN]
        return [OWN, *self._with_token(self.lending.willing(slot.kind, spreadsheets.pop()))]

    def _with_token(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self._tokens[name].state().is_usable]

    def _total(self, kind: str) -> int:
        """Return how many slots all accounts have: lanes share them, each what it may use."""
        return self.lending.total(kind, [OWN, *self._with_token(self._tokens)])

    def landed(self, outgoing: OutgoingRequest, slot: Slot, result: SendResult) -> SendResult:
        """Note what came of an attempt; return what that means for the request."""
        if not slot.kind:
            return result
        self.lending.answered(slot.account, slot.kind)
        spreadsheet = spreadsheet_of(outgoing.calls[0].request)
        if not (result.exchanges and spreadsheet and result.verdict.kind is VerdictKind.FINAL):
            return result
        outcome = result.exchanges[0].outcome
        if slot.account == OWN:
            self._learn(outgoing.calls[0].request, slot.kind, outcome)
            return result
        if not concerns_account(outcome):
            return result
        self._turned_down(slot, spreadsheet, result)
        why = replace(result.verdict, kind=VerdictKind.NOT_LENT)
        return SendResult(result.exchanges, why)

    def is_own_again(self, outgoing: OutgoingRequest, slot: Slot, result: SendResult) -> bool:
        """Return whether a request is to go out again, under the namespace's account alone.

        What concerns a lender alone, such as a token that Google refuses, is no answer to a call.
        """
        if slot.account == OWN or result.verdict.kind not in _NOT_LENT:
            return False
        outgoing.is_own = True
        return True

    def refused(
        self,
        slot: Slot,
        verdict: Verdict,
        state: QuotaState,
        pause: Callable[[Slot], QuotaState],
    ) -> None:
        """Note that Google has refused an account's request for the quota.

        Args:
            slot: The request's slot.
            verdict: Whose quota it is, by Google's word.
            state: How long the account pauses.
            pause: Has the account of another slot pause too, and returns for how long.

        """
        self.lending.refused(slot.account, slot.kind, state.pause)
        for other in self._others(slot) if verdict.of == "project" else ():
            self.lending.refused(other.account, other.kind, pause(other).pause)

    def _learn(self, request: Request, kind: str, outcome: Response | Failure) -> None:
        spreadsheet = spreadsheet_of(request)
        if is_denied(outcome):
            self.lending.denied(OWN, kind, spreadsheet)
        elif isinstance(outcome, Response) and (kind == "read" or shows_right_to_write(request)):
            self.lending.succeeded(kind, spreadsheet)

    def _turned_down(self, slot: Slot, spreadsheet: str, result: SendResult) -> None:
        outcome = result.exchanges[0].outcome
        if isinstance(outcome, Failure) and isinstance(outcome.error, GoogleAuthError):
            return  # whichever spreadsheet it is for
        self.lending.denied(slot.account, slot.kind, spreadsheet)
        LOGGER.info(_DENIED, slot.account, slot.kind, spreadsheet, result.verdict.why)
