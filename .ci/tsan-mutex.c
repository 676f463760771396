// Tells the thread sanitizer what Swift's Mutex does when it has to wait.
//
// Mutex is inlined into Crema's code, and seen there, as long as nobody holds it; the waiting is in the toolchain's libswiftSynchronization, which is built
// without the sanitizer. Without this, every contended Mutex is reported as a race. sanitize.sh builds it and loads it before that library.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SELF void *handle __attribute__((swift_context))

extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);

// Synchronization._MutexHandle._lockSlow(Swift.UInt32) -> ()
SWIFT void lockSlow(uint32_t thread, SELF) __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void lockSlow(uint32_t thread, SELF) {
    SWIFT void (*wait)(uint32_t, SELF) = dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
    wait(thread, handle);
    __tsan_acquire(handle);
}

// Synchronization._MutexHandle._unlockSlow() -> ()
SWIFT void unlockSlow(SELF) __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
SWIFT void unlockSlow(SELF) {
    SWIFT void (*wake)(SELF) = dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
    __tsan_release(handle);
    wake(handle);
}

// Synchronization._MutexHandle._tryLockSlow() -> Swift.Bool
SWIFT bool tryLockSlow(SELF) __asm__("$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
SWIFT bool tryLockSlow(SELF) {
    SWIFT bool (*attempt)(SELF) = dlsym(RTLD_NEXT, "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF");
    bool taken = attempt(handle);
    if (taken) __tsan_acquire(handle);
    return taken;
}
