"""Whom PostgreSQL runs as. It refuses to be root, so for root it gets an account of its own.

An ordinary user's PostgreSQL simply runs as that user.
"""

import errno
import os
import pwd
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.errors import LocalError

ACCOUNT = "dreamland-db"
_ACL = "system.posix_acl_access"
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_EXECUTE = 1


def account_for(data: Path) -> pwd.struct_passwd | None:
    """The account to run PostgreSQL as on this directory; None for "as myself"."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    return _existing(ACCOUNT) or _create() or pwd.getpwnam("nobody")


def _existing(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd | None:
    """Make the account; None on a system without the tool, where `nobody` has to do."""
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT]
    try:
        subprocess.run(command, capture_output=True, check=False)
    except OSError:
        return None
    return _existing(ACCOUNT)


def as_account(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """The keywords that make `subprocess` run a program as this account."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def let_enter(account: pwd.struct_passwd | None, directory: Path) -> None:
    """Make sure the account can reach a directory, changing as little as possible.

    A directory above that is closed to it, such as root's home, gets an access entry that
    lets this one account pass through, not list it. Where the file system has no such
    entries, everybody may pass through; that is said aloud.
    """
    if account is None or _can_enter(account, directory):
        return
    for closed in reversed([directory, *directory.parents]):
        if not _can_enter(account, closed):
            _open(account, closed)
    if not _can_enter(account, directory):
        message = f"the account {account.pw_name}, which PostgreSQL runs as, cannot enter"
        raise LocalError(f"{message} {directory}: start as an ordinary user, or move the checkout.")


def _can_enter(account: pwd.struct_passwd, directory: Path) -> bool:
    command = ["/bin/sh", "-c", 'cd -- "$1" 2>/dev/null', "sh", str(directory)]
    return subprocess.run(command, cwd="/", check=False, **as_account(account)).returncode == 0


def _open(account: pwd.struct_passwd, directory: Path) -> None:
    try:
        _add_entry(directory, account.pw_uid)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.EINVAL, errno.ENOSYS):
            raise
        print(f"Opening {directory} to PostgreSQL's account (chmod o+x).", file=sys.stderr)
        directory.chmod(directory.stat().st_mode | _EXECUTE)


def _add_entry(directory: Path, uid: int) -> None:
    """Add `user:<uid>:--x` to a directory's access control list (setfacl may be missing)."""
    entries = {(tag, who): rights for tag, rights, who in _entries(directory)}
    entries[_USER, uid] = entries.get((_USER, uid), 0) | _EXECUTE
    mask = entries.get((_MASK, _NO_ID), entries[_GROUP_OBJ, _NO_ID])
    entries[_MASK, _NO_ID] = mask | _EXECUTE
    packed = [struct.pack("<HHI", tag, entries[tag, who], who) for tag, who in sorted(entries)]
    os.setxattr(directory, _ACL, struct.pack("<I", 2) + b"".join(packed))


def _entries(directory: Path) -> list[tuple[int, int, int]]:
    """The list as (tag, rights, id), from the mode bits where there is none yet."""
    try:
        raw = os.getxattr(directory, _ACL)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        mode = directory.stat().st_mode
        return [
            (_USER_OBJ, mode >> 6 & 7, _NO_ID),
            (_GROUP_OBJ, mode >> 3 & 7, _NO_ID),
            (_OTHER, mode & 7, _NO_ID),
        ]
    return list(struct.iter_unpack("<HHI", raw[4:]))
