"""Owns the demo directory: a stand-in for Azure AD with its own pages, people, key and port.

Never imports anything of the service provider: the two meet only over HTTP, as two companies would.

The rooms, from the edge inwards:

1. `__main__`, `settings`       the command line: serve the pages, or prepare the connected state
2. `app`, `desk`, `guard`       the application, what its handlers are given, what every request must satisfy
3. `portal`, `users`, `applications`, `wizard`, `fault_pages`     the administrator's pages
4. `access_panel`, `sessions`, `sign_on`           people's pages, and the tenant's protocol addresses
5. `delivery`, `reply_url`      the page that carries a response to a service, and where it may go
6. `responses`, `identity_provider`, `pysaml2`, `keys`   the SAML response, its signer, the signing key
7. `faults`, `mutations`        responses with one flaw, and how a response is changed
8. `store`, `tables`, `passwords`, `connect`       what is kept, and the tutorial's Azure side in one go
9. `rendering`, `problems`, `places`, `clock`      pages, pages for mistakes, where files are, what time it is
"""
