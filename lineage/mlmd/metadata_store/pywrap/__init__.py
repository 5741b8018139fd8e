"""Empty: MLMD's holds its C++ extension, which this package needs not."""
