"""The options that say with which credentials, and where, requests are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.server.google.sources import CREDENTIALS_JSON

from .options import Listed, Parser, file_name, file_names, flag_or_file
from .secrets import taken

if TYPE_CHECKING:
    import argparse

__all__ = ["credentials_of", "google_options"]


def google_options(parser: Parser) -> None:
    """Add the options that say with which credentials, and where, requests are sent."""
    parser.section("Google")
    parser.option(
        "--credentials",
        "a credentials file of any kind that Google gives: a service account's, an authorised "
        "user's, an external account's, an impersonated service account's; the content of one may "
        f"stand in {CREDENTIALS_JSON} instead",
        metavar="FILE",
    )
    parser.option(
        "--service-account",
        "a service account's key file (default: gspread's own location, then "
        "GOOGLE_APPLICATION_CREDENTIALS); repeat the option, or name several in the variable as in "
        "PATH, to have further accounts lend their quota to the first",
        type=file_name,
        of_variable=file_names,
        action=Listed,
        metavar="FILE",
    )
    parser.option(
        "--oauth",
        "use the authorised-user file that gspread.oauth() writes, in its own place or in FILE",
        nargs="?",
        const=True,
        default=False,
        type=flag_or_file,
        metavar="FILE",
    )
    parser.flag("--adc", "use Application Default Credentials")
    parser.option("--api-key", "use an API key", metavar="KEY")
    parser.option(
        "--subject",
        "act as this user of the domain that has delegated to the service account",
        metavar="ADDRESS",
    )
    parser.option(
        "--impersonate",
        "have the credentials impersonate this service account",
        metavar="ADDRESS",
    )
    parser.option(
        "--scopes",
        "the scopes to ask for, with commas between them: short names, or whole URLs (default "
        "spreadsheets,drive)",
        metavar="NAMES",
    )
    parser.option(
        "--api-endpoint",
        "send requests for Google's hosts to this URL instead, with the same path",
        metavar="URL",
    )


def credentials_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options that name credentials, as ``Server`` takes them; hide secrets."""
    return {
        "credentials": taken(options),
        "service_account": options.service_account,
        "oauth": options.oauth,
        "adc": options.adc,
        "api_key": options.api_key,
        "subject": options.subject,
        "impersonate": options.impersonate,
        "scopes": options.scopes,
    }
