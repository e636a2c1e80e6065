"""Shibboleth's identity provider (version 4 and 5): four pieces of its configuration.

Owns where each belongs. Never writes a value that its property or expression language would act on.
"""

from __future__ import annotations

from string import Template
from xml.sax.saxutils import escape

from sp.flows.idp_config.parts import Configuration, Part, ServiceFacts, name_format_of, pem_of, refuse

_ACTED_ON = ("%{", "#{", "${")  # properties, Spring expressions, and the other form of properties

_PROVIDER = Template("""\
<MetadataProvider id="$identifier" xsi:type="FileBackedHTTPMetadataProvider"
                  backingFile="%{idp.home}/metadata/$identifier.xml"
                  metadataURL="$metadata_url?signed=true">
    <MetadataFilter xsi:type="SignatureValidation" certificateFile="%{idp.home}/credentials/$identifier.pem"/>
</MetadataProvider>
""")
_RELYING_PARTY = Template("""\
<bean id="$identifier" parent="RelyingPartyByName" c:relyingPartyIds="$entity_id">
    <property name="profileConfigurations">
        <list>
            <bean parent="SAML2.SSO" p:nameIDFormatPrecedence="$name_id_format"
                  p:signAssertions="$sign_assertions" p:signResponses="true" p:encryptAssertions="false"/>
            <ref bean="SAML2.Logout"/>
        </list>
    </property>
</bean>
""")
_FILTER = Template("""\
<AttributeFilterPolicy id="$identifier">
    <PolicyRequirementRule xsi:type="Requester" value="$entity_id"/>
    <AttributeRule attributeID="givenName" permitAny="true"/>
    <AttributeRule attributeID="sn" permitAny="true"/>
    <AttributeRule attributeID="mail" permitAny="true"/>
</AttributeFilterPolicy>
""")
_RULE = Template("""\
<bean parent="shibboleth.TranscodingProperties">
    <property name="properties">
        <props merge="true">
            <prop key="id">$source</prop>
            <prop key="transcoder">SAML2StringTranscoder</prop>
            <prop key="saml2.name">$name</prop>
            <prop key="saml2.nameFormat">$name_format</prop>
            <prop key="relyingParties">$entity_id</prop>
        </props>
    </property>
</bean>
""")


def configuration(facts: ServiceFacts) -> Configuration:
    values = {
        "identifier": facts.identifier,
        "entity_id": _xml(facts.entity_id, "The entity ID"),
        "metadata_url": _xml(facts.metadata_url, "The metadata URL"),
        "name_id_format": _xml(facts.name_id_format, "The NameID format"),
        "sign_assertions": "true" if facts.wants_signed_assertion else "false",
    }
    names = {"givenName": facts.attributes.first_name, "sn": facts.attributes.last_name, "mail": facts.attributes.email}
    rules = [_rule(source, name, values) for source, name in names.items()]
    credentials = [
        Part(f"credentials/{facts.identifier}.pem", "Signs our metadata.", "".join(map(pem_of, facts.signing[:1])))
    ]
    return Configuration(
        (
            Part("conf/metadata-providers.xml", "Inside the outer MetadataProvider.", _PROVIDER.substitute(values)),
            Part(
                "conf/relying-party.xml",
                "In the list shibboleth.RelyingPartyOverrides.",
                _RELYING_PARTY.substitute(values),
            ),
            Part("conf/attribute-filter.xml", "Inside AttributeFilterPolicyGroup.", _FILTER.substitute(values)),
            Part(
                "conf/attributes/custom/virtual-office.xml",
                "In the file's list of rules, the bean of class TranscodingRuleLoader.",
                "".join(rules),
            ),
            *credentials,
        )
    )


def _rule(source: str, name: str, values: dict[str, str]) -> str:
    return _RULE.substitute(
        values, source=source, name=_xml(name, "An attribute's name"), name_format=name_format_of(name)
    )


def _xml(value: str, what: str) -> str:
    """For text and for attributes alike; a line break in an attribute would become a space."""
    safe = refuse(value, what, *_ACTED_ON)
    if not all(character.isprintable() or character in "\t\n\r" for character in safe):
        refuse(safe, what, next(character for character in safe if not character.isprintable()))
    return escape(safe, {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
