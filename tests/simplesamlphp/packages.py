"""What a real SimpleSAMLphp needs of the machine.

Owns finding out which of Debian's packages are missing. Never installs one: `.ci/run` does.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

INSTALLED = Path("/usr/share/simplesamlphp")
PACKAGES = ("simplesamlphp", "php-cli", "php-xml", "php-mbstring")
_EXTENSIONS = {"php-xml": "dom", "php-mbstring": "mbstring"}


def missing_packages() -> tuple[str, ...]:
    """The packages without which it does not start, in the order of `PACKAGES`; empty where all is there."""
    missing = set() if (INSTALLED / "www/saml2/idp/SSOService.php").is_file() else {"simplesamlphp"}
    if shutil.which("php") is None:
        missing |= {"php-cli", *_EXTENSIONS}
    else:
        loaded = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout.split()
        missing |= {package for package, extension in _EXTENSIONS.items() if extension not in loaded}
    return tuple(package for package in PACKAGES if package in missing)


def why_not(missing: tuple[str, ...]) -> str:
    """The sentence for whoever runs the tests without it."""
    return f"SimpleSAMLphp is not installed (Debian: apt-get install {' '.join(missing)})"
