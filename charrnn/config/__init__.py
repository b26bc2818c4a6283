"""What a run is made of: its settings, where they come from, and what is wrong with them."""
