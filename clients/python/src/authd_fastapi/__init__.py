"""authd as the login of a FastAPI service.

.. include:: ../../README.md
   :start-line: 2

Everything begins with `Authd`; `authd_fastapi.testing` has what a service's own tests need.
"""

from ._authd import Authd, CurrentUser, OptionalUser
from ._http import Unavailable
from ._problem import Problem
from ._user import User
from ._verify import InvalidToken

__all__ = ["Authd", "CurrentUser", "InvalidToken", "OptionalUser", "Problem", "Unavailable", "User"]
