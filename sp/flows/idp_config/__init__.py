"""The other side's configuration: what an identity provider has to be told about this service, in its own format.

Owns the list of the formats and which values go in. Never talks to an identity provider, and holds no secret: only
what our metadata tells everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sp.flows.idp_config import adfs, authentik, entra, generic, keycloak, okta, shibboleth, simplesamlphp
from sp.flows.idp_config.parts import Configuration, Product, ServiceFacts, Unwritable, UnwritableError

__all__ = ["MAKERS", "Configuration", "Product", "ServiceFacts", "Unwritable", "configuration"]

MAKERS: Mapping[Product, Callable[[ServiceFacts], Configuration]] = {
    Product.KEYCLOAK: keycloak.configuration,
    Product.AUTHENTIK: authentik.configuration,
    Product.OKTA: okta.configuration,
    Product.ENTRA: entra.configuration,
    Product.SIMPLESAMLPHP: simplesamlphp.configuration,
    Product.SHIBBOLETH: shibboleth.configuration,
    Product.ADFS: adfs.configuration,
    Product.GENERIC: generic.configuration,
}


def configuration(product: Product, facts: ServiceFacts) -> Configuration | Unwritable:
    """What this product needs with these values filled in, or why its format cannot hold one of them."""
    try:
        return MAKERS[product](facts)
    except UnwritableError as error:
        return Unwritable(error.sentence)
