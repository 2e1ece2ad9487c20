"""A certificate authority for one test run."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"


# Python 3.13 requires this of a CA.
SIGNS_CERTIFICATES = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=False,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Pair(NamedTuple):
    """A certificate, its key, and the certificate of the CA, as files."""

    certificate: str
    key: str
    ca: str


class Ca:
    """Signs certificates; they and their keys are files in a folder."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(f"CA in {folder.name}")
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = (
            self._builder(self._name, self._key)
            .add_extension(constraints, critical=True)
            .add_extension(SIGNS_CERTIFICATES, critical=True)
            .add_extension(identifier, critical=False)
        )
        self.file = self._write("ca.pem", self._signed(builder))

    def pair(self, name, host="localhost"):
        """Return a new certificate of a host."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.IPAddress(ipaddress.ip_address(HOST))
        names = [x509.DNSName(host), *([address] if host == "localhost" else [])]
        builder = self._builder(_name(name), key).add_extension(
            x509.SubjectAlternativeName(names), critical=False
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        certificate = self._write(f"{name}.pem", self._signed(builder))
        return Pair(certificate, self._write(f"{name}.key", secret), self.file)

    def _builder(self, subject, key):
        now = dt.datetime.now(dt.timezone.utc)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(authority, critical=False)
        )

    def _signed(self, builder):
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _write(self, name, content):
        path = self._folder / name
        path.write_bytes(content)
        return str(path)


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
