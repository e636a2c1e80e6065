"""The Account Manager: an administrator's pages.

Owns the list of its routers. Never lets an administrator out of the own company: `managed` sees to it.
"""

from sp.web.admin import (
    account_manager,
    api_tokens,
    attempt,
    compare,
    idp_certificates,
    idp_configuration,
    idp_metadata,
    judge_message,
    own_keys,
    preflight,
    request_bench,
    sessions,
    share,
    sign_in_log,
    sign_in_requests,
    sign_out,
    single_sign_on,
    user_profiles,
)

routers = (
    account_manager.router,
    single_sign_on.router,
    preflight.router,
    idp_certificates.router,
    idp_metadata.router,
    idp_configuration.router,
    own_keys.router,
    sign_in_requests.router,
    request_bench.router,
    sign_in_log.router,
    compare.router,
    judge_message.router,
    share.router,
    attempt.router,
    user_profiles.router,
    sessions.router,
    sign_out.router,
    api_tokens.router,
)
