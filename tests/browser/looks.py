"""How a page is looked at: with scripts or without, on a phone or a desktop, in the light or the dark."""

from dataclasses import dataclass
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Look:
    """One way of looking at pages; as a string, what a test is called by."""

    script: bool = True
    phone: bool = False
    dark: bool = False

    def __str__(self) -> str:
        size, theme = "phone" if self.phone else "desktop", "dark" if self.dark else "light"
        return f"{size}-{theme}" + ("" if self.script else "-no-script")

    @property
    def options(self) -> dict[str, Any]:
        """What a context of the browser is made with."""
        size = {"width": 360, "height": 740} if self.phone else {"width": 1280, "height": 800}
        return {
            "viewport": size,
            "color_scheme": "dark" if self.dark else "light",
            "java_script_enabled": self.script,
            "has_touch": self.phone,
            "reduced_motion": "reduce",
            "locale": "en-GB",
            "timezone_id": "UTC",
        }


DESKTOP, PHONE = Look(), Look(phone=True)
EVERY = [Look(*each) for each in product((True, False), repeat=3)]
SPREAD = [
    Look(script=True, phone=True, dark=False),
    Look(script=True, phone=False, dark=True),
    Look(script=False, phone=True, dark=True),
    Look(script=False, phone=False, dark=False),
]
"""Each pair of choices once: for walks too slow to be done in all eight ways."""
PLACES = [Look(phone=phone, dark=dark) for phone in (True, False) for dark in (False, True)]
"""Every size in every theme."""
