"""The commands as functions: arguments in, a result out. The command line calls them."""
