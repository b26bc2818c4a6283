"""Platform-dependent code: files, signals, memory, BLAS threads and terminals."""
