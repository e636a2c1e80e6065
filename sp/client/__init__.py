"""A typed client of the REST API: everything that docs/api.md describes, in Python.

    from sp.client import VirtualOffice, Workspaces

    made = Workspaces("http://localhost:8000").create("job-4711")
    with VirtualOffice("http://localhost:8000", made.token) as office:
        office.import_metadata(xml=metadata)
        sign_in = office.wait_for_sign_in(after="start", timeout=30)

Owns requests, pages of lists, and errors as exceptions. Never imports the service: it speaks to one over HTTP only.
"""

from sp.client.account_calls import AccountCalls
from sp.client.answers import (
    Account,
    Certificate,
    Change,
    Comparison,
    Difference,
    Discrepancy,
    Expectation,
    Identity,
    JudgedAgain,
    Line,
    MetadataImport,
    NameId,
    Row,
    ServiceMetadata,
    Session,
    SettingsVersion,
    Side,
    SignIn,
    SignInEntry,
    SingleSignOn,
    User,
    Verdict,
)
from sp.client.expectation_calls import ExpectationCalls
from sp.client.http import FieldError, ProblemError
from sp.client.office import VirtualOffice
from sp.client.people_calls import PeopleCalls
from sp.client.sign_in_calls import SignInCalls
from sp.client.workspaces import MadeWorkspace, Workspace, Workspaces

__all__ = [
    "Account",
    "AccountCalls",
    "Certificate",
    "Change",
    "Comparison",
    "Difference",
    "Discrepancy",
    "Expectation",
    "ExpectationCalls",
    "FieldError",
    "Identity",
    "JudgedAgain",
    "Line",
    "MadeWorkspace",
    "MetadataImport",
    "NameId",
    "PeopleCalls",
    "ProblemError",
    "Row",
    "ServiceMetadata",
    "Session",
    "SettingsVersion",
    "Side",
    "SignIn",
    "SignInCalls",
    "SignInEntry",
    "SingleSignOn",
    "User",
    "Verdict",
    "VirtualOffice",
    "Workspace",
    "Workspaces",
]
