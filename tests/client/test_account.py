"""The client and the account: settings, metadata, certificates."""

from __future__ import annotations

import pytest

from sp.client import Certificate, ProblemError
from sp.testing.identity_provider import IdentityProvider
from sp.testing.office import OfficeUnderTest


def test_the_account_and_its_metadata(virtual_office: OfficeUnderTest) -> None:
    account, metadata = virtual_office.account(), virtual_office.metadata()
    assert (account.slug, account.acs_url) == (virtual_office.workspace.name, virtual_office.acs_url)
    assert (metadata.entity_id, metadata.metadata_url) == (virtual_office.entity_id, virtual_office.metadata_url)
    assert f'entityID="{virtual_office.entity_id}"' in metadata.xml
    assert ("Signature" in metadata.xml, "Signature" in virtual_office.metadata(signed=True).xml) == (False, True)


def test_settings_are_changed_replaced_and_kept_by_version(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    read = virtual_office.single_sign_on()
    assert read["issuer"] == identity_provider.entity_id
    changed = virtual_office.configure(if_match=read.etag, provisioning=False)
    assert (changed["provisioning"], changed["issuer"]) == (False, identity_provider.entity_id)
    assert virtual_office.replace_settings(sign_in_url="https://idp.contoso.example/")["issuer"] == ""
    versions = list(virtual_office.settings_versions())
    assert [version.version for version in versions] == [4, 3, 2, 1]
    assert [change.field for change in versions[1].changes] == ["provisioning"]


def test_somebody_who_saved_meanwhile_is_not_overwritten(virtual_office: OfficeUnderTest) -> None:
    read = virtual_office.single_sign_on()
    virtual_office.configure(force_authn=True)
    with pytest.raises(ProblemError) as refused:
        virtual_office.configure(if_match=read.etag, force_authn=False)
    assert (refused.value.status, refused.value.kind) == (412, "stale")
    assert virtual_office.single_sign_on()["force_authn"] is True


def test_a_problem_names_each_field(virtual_office: OfficeUnderTest) -> None:
    with pytest.raises(ProblemError) as refused:
        virtual_office.configure(sign_in_url="ftp://nowhere", user_mapping="colour")
    problem = refused.value
    assert (problem.status, problem.kind) == (422, "invalid")
    assert "user_mapping" in [error.field for error in problem.errors]
    assert all(f"{error.field}: {error.message}" in str(problem) for error in problem.errors)


def test_metadata_is_looked_at_before_it_is_taken_over(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    virtual_office.replace_settings()
    checked = virtual_office.import_metadata(identity_provider.metadata(), check=True)
    assert (checked.saved, virtual_office.single_sign_on()["issuer"]) == (False, "")
    saved = virtual_office.import_metadata(identity_provider.metadata().decode())
    assert (saved.saved, saved.entity_id) == (True, identity_provider.entity_id)
    assert saved.changes == checked.changes
    assert "issuer" in [change.field for change in saved.changes]


def test_certificates_are_retired_brought_back_and_removed(
    virtual_office: OfficeUnderTest, identity_provider: IdentityProvider
) -> None:
    (trusted,) = virtual_office.certificates()
    assert (trusted.state, trusted.first_used_at) == ("active", None)
    assert trusted.key.startswith("RSA 2048")
    identity_provider.sign_in("britta@contoso.com")
    assert virtual_office.certificates()[0].first_used_at is not None
    another = _another(virtual_office, trusted)
    assert _states(virtual_office.retire_certificate(another)) == {trusted.sha256: "active", another: "retired"}
    assert _states(virtual_office.bring_back_certificate(another)) == {trusted.sha256: "active", another: "upcoming"}
    virtual_office.retire_certificate(another)
    assert _states(virtual_office.remove_certificate(another)) == {trusted.sha256: "active"}


def _another(office: OfficeUnderTest, trusted: Certificate) -> str:
    """Trust one more certificate: the service's own will do."""
    xml = office.metadata().xml
    pem = xml.partition("X509Certificate>")[2].partition("<")[0]
    (added,) = [found for found in office.add_certificate("".join(pem.split())) if found.sha256 != trusted.sha256]
    return added.sha256


def _states(certificates: tuple[Certificate, ...]) -> dict[str, str]:
    return {certificate.sha256: certificate.state for certificate in certificates}
