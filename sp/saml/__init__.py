"""The SAML core: from the bytes of a response to a judgement. Values in, values out.

Never touches a database, a network, a process, a framework or a clock. The pipeline, in order:

    1  transport       bindings.py    the form field becomes bytes
    2  document        xml.py         bytes become a tree that every parser would read alike
    3  structure       response.py    the tree becomes an UnverifiedResponse
    4  response        checks/        what it says about itself is held against the expectations
    5  account         checks/        its unverified issuer is the one that the account trusts
    6  decryption      checks/        an encrypted assertion is refused: there is no key yet
    7  signature       signature.py   the signed bytes, parsed afresh, become a VerifiedAssertion
    8  assertion       identity.py    it is held against the expectations and read into an Identity
    9  account holder  checks/        what the store knows about that identity is added

`validation.py` tells the story, `checks/__init__.py` is the table of all rows, `explain.py` puts a report into words.
"""
