"""What depends on the platform: files, signals, memory, BLAS threads, terminals."""
