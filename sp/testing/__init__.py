"""For test suites of identity providers: a pytest plugin, a service to run, and an identity provider to play.

Owns nothing itself. Never imports the service: it runs as a process of its own.
"""
