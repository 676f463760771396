// Makes each sync to disk take longer by the milliseconds that SLOW_SYNC_MILLISECONDS names, as on a disk that is slower than this one.
//
// store.sh builds it and loads it before the C library, into the brokers.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int slowly(const char *name, int descriptor) {
    int (*sync)(int) = dlsym(RTLD_NEXT, name);
    const char *text = getenv("SLOW_SYNC_MILLISECONDS");
    long milliseconds = text ? atol(text) : 0;
    struct timespec pause = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
    return sync(descriptor);
}

int fdatasync(int descriptor) { return slowly("fdatasync", descriptor); }
int fsync(int descriptor) { return slowly("fsync", descriptor); }
