// The files of the console, as parts of the program.
#pragma once
#include <stddef.h>

/// One file: the path that it is asked for by, and its bytes.
struct console_file {
    const char *path;
    const unsigned char *bytes;
    size_t length;
};

/// The file with this number, from 0 on; NULL behind the last.
const struct console_file *console_file_at(size_t index);
