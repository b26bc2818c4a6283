"""What the equations say about a small network, in real numbers: the topics of `explain`."""
