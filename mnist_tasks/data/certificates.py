"""The certificates with which those of servers are verified."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any

from mnist_tasks.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from requests import Response
    from requests.adapters import HTTPAdapter

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
REMEDY = "Name the bundle of your CA's certificates in REQUESTS_CA_BUNDLE or SSL_CERT_FILE."
_CLOCK = "Is this machine's clock right?"
# What to do about OpenSSL's other errors (X509_V_ERR_...): a certificate that is not yet valid or
# has expired, and one for another host name or IP address.
_OTHER_REMEDIES = {9: _CLOCK, 10: _CLOCK, 62: "", 64: ""}


def adapter() -> HTTPAdapter:
    """Return the adapter of ``requests`` for ``https://``.

    It trusts the bundle that one of `BUNDLES` names, else the system's certificates (the keychain
    of macOS, the store of Windows) and those of `certifi`. Its ``send`` raises
    `EnvironmentProblemError` if the bundle can't be read.
    """
    from requests.adapters import HTTPAdapter

    name = next((name for name in BUNDLES if os.environ.get(name)), None)

    class Verifying(HTTPAdapter):
        def send(self, *arguments: Any, **options: Any) -> Response:
            options["verify"] = True if name is None else _bundle(name)
            return super().send(*arguments, **options)

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=_context(name), **options)

        def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
            options |= {"ssl_context": _context(name), "proxy_ssl_context": _context(name)}
            return super().proxy_manager_for(*arguments, **options)

    return Verifying()


def untrusted(error: ssl.SSLCertVerificationError) -> str:
    """Return why a certificate was not accepted, and what to do about it."""
    why = getattr(error, "verify_message", "") or str(error.args[-1])
    remedy = _OTHER_REMEDIES.get(getattr(error, "verify_code", 0), REMEDY)
    return f"the certificate is not trusted: {why.rstrip('.')}. {remedy}".rstrip()


def _context(name: str | None) -> ssl.SSLContext | None:
    """Return the system's certificates, unless a variable names a bundle."""
    import truststore

    if name is not None:
        return None
    context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


def _bundle(name: str) -> str:
    """Return the path of the bundle that a variable names."""
    path = os.environ[name]
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if os.path.isdir(path):  # noqa: PTH112  # a `Path` raises for a null character
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        found = getattr(error, "strerror", None) or str(error)
        raise EnvironmentProblemError(
            name,
            expected="a file of certificates in PEM format",
            found=f"{path}: {found}",
            remedy=REMEDY,
            reason="certificates-unusable",
        ) from error
    return path
