"""When two user names are the same one: in NFC and lower case (RFC 8265, 3.3)."""

import unicodedata


def user_name_key(value: str) -> str:
    """The form in which two user names are compared.

    Not case folding, which makes "ss" of "ß". Character by character, since `str.lower` looks at what follows a sigma.
    """
    lowered = "".join(character.lower() for character in unicodedata.normalize("NFC", value))
    return unicodedata.normalize("NFC", lowered)
