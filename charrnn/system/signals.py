"""The signals with which a user, or the system, asks a program to stop."""

import signal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded() -> list[signal.Signals]:
    """Those that are not ignored, as nohup and a shell's & ignore some."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
