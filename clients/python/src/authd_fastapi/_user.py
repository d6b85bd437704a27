"""Who is signed in, as an access token says."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class User(BaseModel):
    """Who is signed in: the claims of an access token (RFC 9068) that a service needs. Frozen."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The account's id, a UUID in lower case. It never changes; the address may."""
    session_id: str
    """The session that the token belongs to."""
    roles: tuple[str, ...] = ()
    """The roles, as they were when the token was signed; with `live=True`, as they are."""
    permissions: tuple[str, ...] = ()
    """The permissions, likewise. `posts:*` is worth all of its area: ask `has_permission`."""
    auth_time: datetime | None = None
    """When the person last proved who they are, in UTC. None: nobody did; an operator minted the token."""
    amr: tuple[str, ...] = ()
    """How they did (RFC 8176): `pwd`, `otp`, `mfa` and so on. Empty: see `auth_time`."""
    omitted: frozenset[str] = frozenset()
    """What the token leaves out for want of room, of `roles` and `permissions`. It is unknown, not empty."""

    def has_role(self, role: str) -> bool:
        """Says whether the account has the role."""
        return role in self.roles

    def has_permission(self, permission: str) -> bool:
        """Says whether what the account holds is enough for `permission` (`area:action`), as authd judges."""
        return any(
            permission.startswith(held[:-1]) if held.endswith("*") else permission == held
            for held in self.permissions
        )
