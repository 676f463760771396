// Lets a program of Swift's run under Debian's valgrind, which writes into the signal mask that sigsuspend is given.
//
// The main thread of such a program waits in libdispatch, with a mask in memory that may only be read: valgrind 3.19 ends there. This gives
// it a copy. broker-instructions.py builds it and loads it before libdispatch.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>

int sigsuspend(const sigset_t *mask) {
    int (*suspend)(const sigset_t *) = dlsym(RTLD_NEXT, "sigsuspend");
    sigset_t copy = *mask;
    return suspend(&copy);
}
