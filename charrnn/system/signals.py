"""The signals by which a user or the system asks a program to stop."""

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def not_ignored() -> list[signal.Signals]:
    """The signals that are not ignored; nohup and a shell's & ignore some."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
