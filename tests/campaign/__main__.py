"""The command line of the campaign."""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.campaign.kinds import KINDS
from tests.campaign.runner import conduct


def main() -> int:
    """Runs the campaign; a loss ends it, is printed, and keeps its folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=10.0, help="cycle through the kinds for this time")
    add("--only", nargs="+", choices=list(KINDS), metavar="KIND", help=", ".join(KINDS))
    add("--count", type=int, help="make this many trials of each kind instead")
    add("--first", type=int, default=0, metavar="N", help="number of the first trial")
    add("--seed", type=int, default=1)
    add("--jobs", type=int, default=1, help="trials at the same time")
    add("--keep-going", action="store_true", help="collect all failures instead of stopping")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    campaign = conduct(
        chosen.only or list(KINDS),
        folder,
        seed=chosen.seed,
        first=chosen.first,
        count=chosen.count,
        minutes=chosen.minutes,
        jobs=chosen.jobs,
        keep_going=chosen.keep_going,
    )
    sys.stdout.write(campaign.summary())
    if campaign.failures:
        sys.stdout.write(f"kept: {folder}\n")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return int(bool(campaign.failures))


if __name__ == "__main__":
    sys.exit(main())
