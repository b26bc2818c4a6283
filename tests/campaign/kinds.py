"""The table of kinds."""

from collections.abc import Callable

from tests.campaign.failing_calls import fail_calls
from tests.campaign.forged import try_forgery
from tests.campaign.links import try_links
from tests.campaign.names import try_names
from tests.campaign.settings import try_settings
from tests.campaign.streams import try_streams
from tests.campaign.trial import Trial

Kind = Callable[[Trial], None]

KINDS: dict[str, Kind] = {
    "settings": try_settings,
    "names": try_names,
    "streams": try_streams,
    "links": try_links,
    "forged texts": try_forgery,
    "errno": fail_calls,
}
