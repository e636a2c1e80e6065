"""What a report means to people: sentences, remedies, comparisons, captures, redaction.

Everything here is made from a check, a problem and values. It may import `sp.saml`, never the other way round.
"""
