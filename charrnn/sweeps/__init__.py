"""Searches for settings: many runs of one config, of which some settings vary."""

from charrnn.system.extras import import_extra

# the modules of this package import it at their top
import_extra("optuna", "sweep", "a sweep")
