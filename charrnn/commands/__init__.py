"""What each command does: arguments in, a result out. The command line calls it."""
