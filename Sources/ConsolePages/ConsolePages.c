#include "ConsolePages.h"

// Swift's own compiler knows #embed, and that an object depends on the file (C23, section 6.10.4).
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "pages/index.html"
};
#define FILE(path, bytes) {path, bytes, sizeof(bytes)}

static const struct console_file files[] = {
    FILE("/index.html", index_html),
};

const struct console_file *console_file_at(size_t index) {
    return index < sizeof(files) / sizeof(files[0]) ? &files[index] : NULL;
}
