"""Who is asking, by the certificate of the client."""

from codetether_adapters.certificates.authenticator import ClientCertificates
from codetether_adapters.certificates.reading import read_certificate

__all__ = ["ClientCertificates", "read_certificate"]
