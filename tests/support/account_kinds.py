"""Every kind of account that a server can have, as an emulator has it: a row of the table each."""

from __future__ import annotations

import inspect
import json
import sys

from google.auth.compute_engine import _metadata
from google.auth.impersonated_credentials import Credentials as Impersonated

ANN = "ann@example.com"
CLOUD = "https://www.googleapis.com/auth/cloud-platform"
IAM = "https://www.googleapis.com/auth/iam"
SHEETS = "https://www.googleapis.com/auth/spreadsheets"
DRIVE = "https://www.googleapis.com/auth/drive"


def write(path, content):
    """Put a file in the place of another one at once, as a swap of secrets does."""
    draft = path.with_suffix(".new")
    draft.write_text(content if isinstance(content, str) else json.dumps(content))
    draft.replace(path)


class Kind:
    """One kind of account.

    Attributes:
        emulator: Where the account is.
        path: Its credentials file.
        options: What a server is given.
        shown: The account, as a server shows it.
        secrets: What must not be seen anywhere.

    """

    note = "the server's log says more"

    def __init__(self, emulator, folder, monkeypatch):
        self.emulator, self.folder, self.patch = emulator, folder, monkeypatch
        self.path = folder / "credentials.json"
        self.bot, self.ann = emulator.accounts[0], emulator.add_user(ANN)
        self.write()
        self.options = {"credentials": self.path}
        self.shown = self.bot.email
        self.set_up()

    def set_up(self):
        """Set up what differs from the simplest kind."""

    def write(self):
        """Write the file as it is good now."""
        write(self.path, self.bot.service_account_info())

    def renew(self):
        """Make new secrets and refuse the old ones; the file still has those."""
        self.bot.rotate_key()

    def swap(self):
        """Renew the secrets, in the file as well."""
        self.renew()
        self.write()

    @property
    def secrets(self):
        info = json.loads(self.path.read_text())
        return secrets_in(info)


def secrets_in(info):
    """Return the secret parts of a credentials file."""
    found = []
    for name, value in info.items():
        if isinstance(value, dict):
            found += secrets_in(value)
        elif name == "private_key":
            # A line out of the middle.
            found.append(value.splitlines()[5])
        elif name in ("client_secret", "refresh_token"):
            found.append(value)
    return found


class ServiceAccount(Kind):
    def set_up(self):
        self.options = {"service_account": self.path}


class WithSubject(Kind):
    def set_up(self):
        self.bot.delegate()
        self.options["subject"] = ANN
        self.shown = f"{self.bot.email} for {ANN}"


class Impersonating(Kind):
    """A key of one account with which another one is impersonated."""

    def set_up(self):
        self.other = self.emulator.add_account()
        self.other.let_impersonate(self.bot.email)
        self.options["impersonate"] = self.shown = self.other.email


class ImpersonatingForSubject(Impersonating):
    def set_up(self):
        super().set_up()
        self.other.delegate()
        self.options["subject"] = ANN
        self.shown = f"{self.other.email} for {ANN}"


class ImpersonatedFile(Kind):
    """A file in which a user impersonates a service account, as gcloud writes it."""

    note = "`gcloud auth application-default login --impersonate-service-account=ADDRESS`"

    def write(self):
        write(self.path, self.bot.impersonated_info(self.ann.authorized_user_info()))

    def set_up(self):
        self.ann.consent([CLOUD])
        self.write()
        self.bot.let_impersonate(ANN)

    def renew(self):
        self.ann.consent([CLOUD])


class ImpersonatedFileForSubject(ImpersonatedFile):
    def set_up(self):
        super().set_up()
        self.bot.delegate()
        self.options["subject"] = ANN
        self.shown = f"{self.bot.email} for {ANN}"


class AuthorizedUser(Kind):
    note = "gspread.oauth(authorized_user_filename="

    def set_up(self):
        self.options = {"oauth": self.path}
        self.shown = "an unknown account"

    def write(self):
        # As gspread writes it, without a type.
        info = self.ann.authorized_user_info()
        write(self.path, {name: value for name, value in info.items() if name != "type"})

    def renew(self):
        self.ann.consent()


class AuthorizedUserImpersonating(AuthorizedUser):
    note = "gspread.oauth(authorized_user_filename="

    def set_up(self):
        self.ann.consent([CLOUD])
        self.write()
        self.bot.let_impersonate(ANN)
        self.options = {"oauth": self.path, "impersonate": self.bot.email}
        self.shown = self.bot.email

    def renew(self):
        self.ann.consent([CLOUD])


class ExternalAccount(Kind):
    """A workload whose token is in a file of its own."""

    account = None

    def set_up(self):
        self.shown = "an unknown account"

    def write(self):
        if not hasattr(self, "workload"):
            self.workload = self.emulator.add_workload()
            self.token = self.folder / "token"
            info = self.workload.external_account_info(self.token, self.impersonated())
            write(self.path, info)
        write(self.token, self.workload.subject_token())

    def impersonated(self):
        return None

    def renew(self):
        self.workload.rotate_key()

    @property
    def secrets(self):
        return [self.token.read_text()]


class ExternalAccountImpersonating(ExternalAccount):
    def impersonated(self):
        return self.bot

    def set_up(self):
        self.bot.let_impersonate(self.workload.principal)


class ExternalAccountForSubject(ExternalAccountImpersonating):
    def set_up(self):
        super().set_up()
        self.bot.delegate()
        self.options["subject"] = ANN
        self.shown = f"{self.bot.email} for {ANN}"


PROGRAM = "import pathlib, sys; print(pathlib.Path(sys.argv[1]).read_text())"


class ExternalProgram(ExternalAccount):
    """A workload whose token is put out by a program."""

    def write(self):
        if not hasattr(self, "workload"):
            self.patch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
            self.workload = self.emulator.add_workload()
            self.token = self.folder / "token"
            program = self.folder / "program.py"
            program.write_text(PROGRAM)
            # Without quotes: an older google-auth splits it at its spaces.
            command = f"{sys.executable} -I -S {program} {self.token}"
            source = {"executable": {"command": command, "timeout_millis": 60_000}}
            self.info = self.workload.external_account_info(source)
        kind = self.info["subject_token_type"]
        answer = {"version": 1, "success": True, "token_type": kind}
        answer["id_token"] = self.workload.subject_token()
        write(self.token, answer)
        # The program's file is none that the server knows of.
        write(self.path, self.info)

    @property
    def secrets(self):
        return [json.loads(self.token.read_text())["id_token"]]


class ExternalUser(Kind):
    note = "`gcloud auth application-default login` with a workforce pool's login"

    def set_up(self):
        self.shown = "an unknown account"

    def write(self):
        write(self.path, self.ann.external_user_info())

    def renew(self):
        self.ann.consent()


class DefaultFile(Kind):
    """Application Default Credentials out of the file that the environment names."""

    def set_up(self):
        self.patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(self.path))
        self.options = {"adc": True}


class DefaultGcloud(AuthorizedUser):
    """Those that gcloud has put into its own folder."""

    note = "`gcloud auth application-default login --scopes="

    def set_up(self):
        self.patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        self.patch.setenv("CLOUDSDK_CONFIG", str(self.folder))
        self.path = self.folder / "application_default_credentials.json"
        self.write()
        self.options = {"adc": True}
        self.shown = "an unknown account"


class DefaultMachine(Kind):
    """Those of a machine at Google, which are in no file."""

    def set_up(self):
        place = self.emulator.url.removeprefix("http://")
        self.patch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
        self.patch.setenv("CLOUDSDK_CONFIG", str(self.folder))
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
            self.patch.setenv(name, place)
        # google-auth reads the variable when it is imported.
        self.patch.setattr(_metadata, "_GCE_METADATA_HOST", place)
        self.options = {"adc": True}

    def renew(self):
        self.emulator.machine = None

    def write(self):
        self.emulator.machine = self.bot

    @property
    def secrets(self):
        return []


class Given(Kind):
    """The fields of a file, as a program has them that reads its secrets elsewhere."""

    def set_up(self):
        self.options = {"credentials": json.loads(self.path.read_text())}


KINDS = {
    "service account": ServiceAccount,
    "service account for a subject": WithSubject,
    "impersonation": Impersonating,
    "impersonation for a subject": ImpersonatingForSubject,
    "impersonated file": ImpersonatedFile,
    "impersonated file for a subject": ImpersonatedFileForSubject,
    "external account": ExternalAccount,
    "external account impersonating": ExternalAccountImpersonating,
    "external account for a subject": ExternalAccountForSubject,
    "external program": ExternalProgram,
    "external user": ExternalUser,
    "authorised user": AuthorizedUser,
    "authorised user impersonating": AuthorizedUserImpersonating,
    "default, a named file": DefaultFile,
    "default, gcloud's file": DefaultGcloud,
    "default, a machine": DefaultMachine,
    "a dict": Given,
}
KEYLESS_SUBJECTS = {
    "impersonation for a subject",
    "impersonated file for a subject",
    "external account for a subject",
}
# google-auth has this from 2.38 on; before, a server says so.
HAS_KEYLESS_SUBJECTS = "subject" in inspect.signature(Impersonated).parameters
if not HAS_KEYLESS_SUBJECTS:
    KINDS = {name: kind for name, kind in KINDS.items() if name not in KEYLESS_SUBJECTS}
if not hasattr(_metadata, "_get_metadata_root"):
    # An older google-auth cannot be told after its import where the metadata server is.
    del KINDS["default, a machine"]
FROM_FILES = [name for name in KINDS if name not in ("a dict", "default, a machine")]
