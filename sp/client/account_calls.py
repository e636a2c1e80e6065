"""The account and its single sign-on settings, by the API.

Owns these calls of the client. Never decides anything: what is refused comes as ProblemError.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx

from sp.client.answers import (
    Account,
    Certificate,
    MetadataImport,
    ServiceMetadata,
    SettingsVersion,
    SingleSignOn,
    read,
)
from sp.client.http import Api, given

_SETTINGS = "/account/single-sign-on"
_CERTIFICATES = f"{_SETTINGS}/certificates"
WHATEVER_IS_THERE = "*"
_XML = {"Content-Type": "application/samlmetadata+xml"}


class AccountCalls:
    """Part of `VirtualOffice`: the account, its settings, metadata and certificates."""

    _api: Api

    def account(self) -> Account:
        """The account that the token belongs to."""
        return read(Account, self._api.get("/account"))

    def metadata(self, *, signed: bool = False) -> ServiceMetadata:
        """What the identity provider has to know about the service, as this account's settings have it."""
        return read(ServiceMetadata, self._api.get("/metadata", signed="true" if signed else None))

    def single_sign_on(self) -> SingleSignOn:
        """The settings in force."""
        return _settings(self._api.send("GET", _SETTINGS))

    def configure(self, *, if_match: str = WHATEVER_IS_THERE, **settings: Any) -> SingleSignOn:
        """Change the settings that are given; their names are in docs/api.md."""
        return _settings(self._api.send("PATCH", _SETTINGS, json=settings, headers={"If-Match": if_match}))

    def replace_settings(self, *, if_match: str = WHATEVER_IS_THERE, **settings: Any) -> SingleSignOn:
        """Put the whole: what is left out gets its default."""
        return _settings(self._api.send("PUT", _SETTINGS, json=settings, headers={"If-Match": if_match}))

    def settings_versions(self) -> Iterator[SettingsVersion]:
        """Who saved what and when, the newest first."""
        return (read(SettingsVersion, item) for item in self._api.items(f"{_SETTINGS}/versions"))

    def import_metadata(
        self,
        xml: str | bytes | None = None,
        *,
        url: str | None = None,
        entity_id: str | None = None,
        pinned_certificate: str | None = None,
        follow: bool | None = None,
        check: bool = False,
    ) -> MetadataImport:
        """Take the metadata of an identity provider over; with `check`, tell what that would change."""
        query = {"check": "true"} if check else {}
        if xml is not None and url is None and pinned_certificate is None:
            # As it is: in JSON the service takes 256 KiB, as XML the metadata of a federation.
            query |= given({"entity_id": entity_id})
            content = xml.encode() if isinstance(xml, str) else xml
            answer = self._api.send("POST", f"{_SETTINGS}/metadata", params=query, content=content, headers=_XML)
            return read(MetadataImport, answer.json())
        body = {
            "xml": xml.decode() if isinstance(xml, bytes) else xml,
            "url": url,
            "entity_id": entity_id,
            "pinned_certificate": pinned_certificate,
            "follow": follow,
        }
        answer = self._api.send("POST", f"{_SETTINGS}/metadata", params=query, json=given(body))
        return read(MetadataImport, answer.json())

    def certificates(self) -> tuple[Certificate, ...]:
        """The identity provider's certificates."""
        return _certificates(self._api.send("GET", _CERTIFICATES))

    def add_certificate(self, certificate: str) -> tuple[Certificate, ...]:
        """Trust one more (PEM, or DER in base64) beside the others."""
        return _certificates(self._api.send("POST", _CERTIFICATES, json={"certificate": certificate}))

    def retire_certificate(self, sha256: str) -> tuple[Certificate, ...]:
        """Trust it no longer, and keep it."""
        return _certificates(self._api.send("POST", f"{_CERTIFICATES}/{sha256}/retire"))

    def bring_back_certificate(self, sha256: str) -> tuple[Certificate, ...]:
        """Trust a retired one again."""
        return _certificates(self._api.send("POST", f"{_CERTIFICATES}/{sha256}/bring-back"))

    def remove_certificate(self, sha256: str) -> tuple[Certificate, ...]:
        """Remove it altogether."""
        return _certificates(self._api.send("DELETE", f"{_CERTIFICATES}/{sha256}"))


def _settings(response: httpx.Response) -> SingleSignOn:
    return SingleSignOn(response.headers["etag"], response.json())


def _certificates(response: httpx.Response) -> tuple[Certificate, ...]:
    return tuple(read(Certificate, item) for item in response.json()["items"])
