"""The table of kinds."""

from collections.abc import Callable

from tests.campaign.names import try_names
from tests.campaign.settings import try_settings
from tests.campaign.trial import Trial

Kind = Callable[[Trial], None]

KINDS: dict[str, Kind] = {
    "settings": try_settings,
    "names": try_names,
}
