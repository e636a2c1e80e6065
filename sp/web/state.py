"""What a page can ask for besides its form: the service's parts, and who is at the other end.

Owns nothing; hands over. Never opens anything.
"""

from __future__ import annotations

from fastapi import Request

from sp.service import Service, ServiceDep, service_of

__all__ = ["Service", "ServiceDep", "remote_address", "service_of"]


def remote_address(request: Request) -> str:
    """The sender's address: the peer's, or the one that a trusted proxy names (`sp.web.forwarded`)."""
    return request.client.host if request.client else ""
