"""Whom a session or a recording is shared with, looked up in the order of E42."""

from . import messages
from .checks import Refusal, is_uuid
from .objects import Group, Recording, Session, User
from .world import World

__all__ = ["find_group", "find_user", "share"]


def find_user(world: World, name: str) -> User:
    """The user of that name, whatever its case."""
    user = world.users.get(name.lower())
    if world.knobs.directory == "failing" or (user is not None and user.broken):
        raise Refusal(messages.USER_SEARCH_FAILED)
    if user is None:
        raise Refusal(messages.USER_NOT_FOUND)
    return user


def find_group(world: World, name: str) -> Group:
    """The group of that name, whatever its case; there are none without a directory."""
    group = world.groups.get(name.lower()) if world.knobs.directory != "off" else None
    if world.knobs.directory == "failing" or (group is not None and group.broken):
        raise Refusal(messages.GROUP_SEARCH_FAILED)
    if group is None:
        raise Refusal(messages.GROUP_NOT_FOUND)
    return group


def _has_role(world: World, user: User) -> bool:
    if user.roles:
        return True
    groups = (world.groups.get(name.lower()) for name in user.groups)
    return any(group is not None and group.roles for group in groups)


def share(
    world: World, subject: Session | Recording, permission: str, grantee: User | Group
) -> None:
    """Set the permission of a user or group, in place of the one it had.

    A customized permission that HMP does not know, or may not give away, is 030003 (E18).
    """
    if isinstance(grantee, User):
        if not _has_role(world, grantee):
            raise Refusal(messages.USER_WITHOUT_ROLES)
    elif not grantee.roles:
        raise Refusal(messages.GROUP_WITHOUT_ROLES)
    if is_uuid(permission):
        permission = permission.lower()
        known = world.permissions.get(permission)
        if known is None or not known.grantable:
            raise Refusal(messages.CANNOT_SHARE)
    kind = "user" if isinstance(grantee, User) else "group"
    subject.shares[f"{kind}:{grantee.name}"] = permission
