"""Owns the demo directory: a stand-in for Azure AD with its own pages, people, key and port.

Never imports anything of the service provider: the two meet only over HTTP, as two companies would.

The rooms, from the edge inwards:

1. `__main__`           the command line: serve the pages, or prepare the connected state
2. `app`, `guard`       the application, and what every request and answer must satisfy
3. `front`, `portal`, `users`, `applications`, `wizard`, `access_panel`, `sign_on`   one page family each
4. `connect`            the tutorial's Azure side, done in one go
5. `store`, `tables`    people, applications, assignments, sessions
6. `responses`, `identity_provider`, `keys`   the SAML response, the signer, the key
7. `reply_url`          where an assertion may go
"""
