"""Settings: flag, then environment, then mounted files, then ``codetether.toml``, then default; every value knows where
it is from.

``sections`` is the table, as attrs classes whose fields carry what is to be known about them. Everything else follows
from it: names of variables, flags, what is accepted, what is shown, the documentation.
"""

from codetether_apps.settings.client_tls import client_tls
from codetether_apps.settings.codebases import GivenCodebase
from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.flags import settings_from_flags
from codetether_apps.settings.local_token import client_token, is_loopback, read_token, token_file
from codetether_apps.settings.misspelt import misspelt_variables
from codetether_apps.settings.quantities import DURATION
from codetether_apps.settings.reading import read_settings, table
from codetether_apps.settings.references import Reference
from codetether_apps.settings.resolving import references, resolved
from codetether_apps.settings.sections import Settings
from codetether_apps.settings.showing import Shown, described, documented
from codetether_apps.settings.sign_ins import SignIn, SignIns, sign_ins, sign_ins_file
from codetether_apps.settings.tokens import GivenToken

__all__ = [
    "DURATION",
    "GivenCodebase",
    "GivenToken",
    "Reference",
    "Settings",
    "SettingsError",
    "Shown",
    "SignIn",
    "SignIns",
    "client_tls",
    "client_token",
    "described",
    "documented",
    "is_loopback",
    "misspelt_variables",
    "read_settings",
    "read_token",
    "references",
    "resolved",
    "settings_from_flags",
    "sign_ins",
    "sign_ins_file",
    "table",
    "token_file",
]
