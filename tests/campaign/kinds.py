"""The table of kinds."""

from collections.abc import Callable

from tests.campaign.damage import read_damaged_files
from tests.campaign.disturb import fill_disk, forbid, keep_disk_full, kill, remove, take_away
from tests.campaign.failing_calls import fail_calls
from tests.campaign.forged import try_forgery
from tests.campaign.links import try_links
from tests.campaign.names import try_names
from tests.campaign.settings import try_settings
from tests.campaign.signals import pause_run, send_bursts
from tests.campaign.small_disk import fill_small_disk
from tests.campaign.streams import try_streams
from tests.campaign.surroundings import (
    as_another_user,
    in_a_deleted_directory,
    optimized,
    with_little_memory,
    with_one_process,
    without_home,
)
from tests.campaign.trial import Trial

Kind = Callable[[Trial], None]

KINDS: dict[str, Kind] = {
    "kill": kill,
    "disk full for a while": fill_disk,
    "disk full to the end": keep_disk_full,
    "directory away for a while": take_away,
    "checkpoints not writable": forbid,
    "directory removed": remove,
    "mutated files": read_damaged_files,
    "settings": try_settings,
    "names": try_names,
    "streams": try_streams,
    "links": try_links,
    "forged texts": try_forgery,
    "errno": fail_calls,
    "bursts": send_bursts,
    "pause": pause_run,
    "tmpfs": fill_small_disk,
    "another user": as_another_user,
    "no HOME": without_home,
    "deleted directory": in_a_deleted_directory,
    "python -O": optimized,
    "one process": with_one_process,
    "little memory": with_little_memory,
}
