#pragma once

#include <stddef.h>
#include <stdint.h>

/// The entry of LLVM's fuzzer in its form without a main function: reads the options from the command line, then calls `test` with one
/// input after the other until its limits are reached.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));
