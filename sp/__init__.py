"""A stand-in for the 8x8 Virtual Office service provider: judges SAML responses and explains each verdict."""

__version__ = "0.1.0"
