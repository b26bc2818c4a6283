"""Disturbs the program at random in every way the machine allows, and looks for losses.

    python -m tests.campaign --minutes 20

cycles through all kinds of trials until the time is up and prints the counts; the tests run a few
of each kind.
"""
