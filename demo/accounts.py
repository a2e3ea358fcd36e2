"""The three logins of the demo: made once, with generated passwords, and kept on this machine."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from readerstudy.core.db import write_transaction
from readerstudy.readers.models import ReaderProfile, User


@dataclass(frozen=True)
class Login:
    role: str
    username: str
    password: str
    name: str
    years: int | None = None


PEOPLE = (
    ("coordinator", "coordinator", "M. Keller", None),
    ("reader", "reader1", "Dr A. Moreau", 9),
    ("reader", "reader2", "Dr S. Tanaka", 14),
)


def ensure(var: Path) -> list[Login]:
    """Return the logins; create the accounts that do not exist yet."""
    note = var / "demo" / "logins.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    if note.exists():
        logins = [Login(**entry) for entry in json.loads(note.read_text())]
    else:
        logins = [
            Login(role, username, secrets.token_urlsafe(9), name, years)
            for role, username, name, years in PEOPLE
        ]
        note.touch(mode=0o600)
        note.write_text(json.dumps([vars(login) for login in logins], indent=1))
    for login in logins:
        _ensure_account(login)
    return logins


def _ensure_account(login: Login) -> None:
    if User.objects.filter(username=login.username).exists():
        return
    with write_transaction():
        user = User(
            username=login.username,
            email=f"{login.username}@example.org",
            display_name=login.name,
            may_coordinate=login.role == "coordinator",
        )
        user.set_password(login.password)
        user.save()
        if login.role == "reader":
            ReaderProfile.objects.create(
                user=user, subspecialty="Neuroradiology", years_of_experience=login.years
            )
