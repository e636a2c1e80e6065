"""Owns the connected state: the tutorial's Azure side, done in one go.

Never touches the service provider: it hands back what an administrator would copy over by hand.
"""

from dataclasses import dataclass
from datetime import datetime

from sp.demo_directory.keys import SigningKey
from sp.demo_directory.passwords import hash_password, lasting_password, password_matches
from sp.demo_directory.settings import Settings
from sp.demo_directory.store import DirectoryStore, NewPerson
from sp.demo_directory.tables import Application, Person

GALLERY = ("8x8 Virtual Office",)
TUTORIAL_REPLY_URL = "https://sso.8x8.com/saml2"


@dataclass(frozen=True)
class Connected:
    """What the other side needs to know; the fields are the keys of the command's JSON."""

    issuer: str
    sign_in_url: str
    sign_out_url: str
    certificate_file: str
    user_name: str
    password: str
    access_panel_url: str


def connect(settings: Settings, store: DirectoryStore, key: SigningKey, now: datetime) -> Connected:
    """Add and configure the application, create Britta, assign her. Doing it again changes nothing.

    Britta's password stays the same for one data folder; if somebody reset it, it is set back.
    """
    tenant = store.tenant()
    password = lasting_password(tenant.form_secret, "BrittaSimon")
    application, britta = _application(store, now), _britta(store, password, now)
    store.assign(application, [britta.object_id])
    sign_in_url = f"{settings.base_url}/{tenant.tenant_id}/saml2"
    return Connected(
        issuer=f"{settings.base_url}/{tenant.tenant_id}/",
        sign_in_url=sign_in_url,
        sign_out_url=sign_in_url,
        certificate_file=str(key.certificate_file.resolve()),
        user_name=f"{britta.user_name}@{tenant.domain}",
        password=password,
        access_panel_url=f"{settings.base_url}/access-panel",
    )


def _application(store: DirectoryStore, now: datetime) -> Application:
    name = GALLERY[0]
    application = store.application_named(name) or store.add_application(name, now)
    if application is None:
        raise RuntimeError(f"{name} is neither in the directory nor can it be added.")
    if application.configured_at is None:
        store.change_application(
            application, federated=True, reply_url=TUTORIAL_REPLY_URL, identifier="", configured_at=now
        )
    return application


def _britta(store: DirectoryStore, password: str, now: datetime) -> Person:
    britta = store.person_named("BrittaSimon") or store.add_person(
        NewPerson("BrittaSimon", "Britta", "Simon", "Britta Simon", "User", hash_password(password)), now
    )
    if britta is None:
        raise RuntimeError("Britta Simon is neither in the directory nor can she be added.")
    if not password_matches(britta.password_hash, password):
        store.set_password(britta, hash_password(password))
    return britta
