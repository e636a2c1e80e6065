"""Owns passwords: making temporary ones, hashing them, and slowing down whoever guesses.

Never keeps a password itself, and never says which half of a user name and password was wrong.
"""

import hmac
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_CONSONANTS = "bcdfghjklmnpqrstvwxz"
_VOWELS = "aeiou"
_DIGITS = "23456789"

# The least that OWASP recommends for argon2id; a temporary password has 38 random bits besides.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Verified when nobody has that name, so that the answer takes as long as for somebody.
_NOBODY = _hasher.hash(secrets.token_hex())


def new_temporary_password(pick: Callable[[str], str] = secrets.choice) -> str:
    """A password that can be read out and copied by hand: four syllables and four digits, as "Ruvotamu4829"."""
    syllables = "".join(pick(_CONSONANTS) + pick(_VOWELS) for _ in range(4))
    return syllables.capitalize() + "".join(pick(_DIGITS) for _ in range(4))


def lasting_password(secret: str, name: str) -> str:
    """A temporary password that stays the same for one directory and name, and differs between directories."""
    stream = iter(hmac.digest(secret.encode(), name.encode(), "sha256"))
    return new_temporary_password(lambda letters: letters[next(stream) % len(letters)])


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Compare in the same time whether or not there is somebody (`None`: nobody, never matches)."""
    try:
        _hasher.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


class GuessThrottle:
    """Counts wrong passwords per user name: five within five minutes, then a pause.

    Kept in memory and bounded, so that a flood of made-up names cannot fill it.
    """

    LIMIT = 5
    WINDOW = timedelta(minutes=5)
    _MAX_NAMES = 10_000

    def __init__(self) -> None:
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = Lock()

    def wait(self, name: str, now: datetime) -> timedelta:
        """How long until the next attempt is looked at; zero when it may come now."""
        with self._lock:
            failures = self._recent(name, now)
            if len(failures) < self.LIMIT:
                return timedelta(0)
            return failures[0] + self.WINDOW - now

    def failed(self, name: str, now: datetime) -> None:
        with self._lock:
            failures = self._recent(name, now)
            failures.append(now)
            self._failures[name] = failures
            self._failures.move_to_end(name)
            while len(self._failures) > self._MAX_NAMES:
                self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        with self._lock:
            self._failures.pop(name, None)

    def _recent(self, name: str, now: datetime) -> deque[datetime]:
        failures = self._failures.get(name, deque(maxlen=self.LIMIT))
        while failures and failures[0] + self.WINDOW <= now:
            failures.popleft()
        return failures
