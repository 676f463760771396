#include "FaultyDisk.h"

#include <sqlite3.h>
#include <stddef.h>

// A VFS of SQLite that hands everything on to the one that was there, and asks an observer before whatever changes the disk.

static sqlite3_vfs *disk;
static faulty_disk_observer observe;

// The disk's own file follows it in memory.
struct watched_file {
    sqlite3_file file;
    const char *path;
    // The file was made, and its directory was not synced since.
    int is_new;
};

static sqlite3_file *real(sqlite3_file *file) { return (sqlite3_file *)((struct watched_file *)file + 1); }

static int ask(enum faulty_disk_operation operation, const char *path, const void *bytes, int count, int64_t offset, int syncs_directory) {
    struct faulty_disk_call call = {operation, path, bytes, count, offset, syncs_directory};
    return path ? observe(&call) : 0;
}

static int ask_of(sqlite3_file *file, enum faulty_disk_operation operation, const void *bytes, int count, int64_t offset, int syncs) {
    return ask(operation, ((struct watched_file *)file)->path, bytes, count, offset, syncs);
}

static int outcome(int answer) { return answer == FAULTY_DISK_PRETEND ? SQLITE_OK : answer; }

static int watched_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    int answer = ask_of(file, FAULTY_DISK_WRITE, bytes, count, offset, 0);
    return answer ? outcome(answer) : real(file)->pMethods->xWrite(real(file), bytes, count, offset);
}

static int watched_truncate(sqlite3_file *file, sqlite3_int64 size) {
    int answer = ask_of(file, FAULTY_DISK_TRUNCATE, NULL, 0, size, 0);
    return answer ? outcome(answer) : real(file)->pMethods->xTruncate(real(file), size);
}

static int watched_sync(sqlite3_file *file, int flags) {
    struct watched_file *watched = (struct watched_file *)file;
    int answer = ask_of(file, FAULTY_DISK_SYNC, NULL, 0, 0, watched->is_new);
    int result = answer ? outcome(answer) : real(file)->pMethods->xSync(real(file), flags);
    if (result == SQLITE_OK) watched->is_new = 0;
    return result;
}

static int watched_close(sqlite3_file *file) { return real(file)->pMethods->xClose(real(file)); }

static int watched_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), bytes, count, offset);
}

static int watched_size(sqlite3_file *file, sqlite3_int64 *size) { return real(file)->pMethods->xFileSize(real(file), size); }

static int watched_lock(sqlite3_file *file, int level) { return real(file)->pMethods->xLock(real(file), level); }

static int watched_unlock(sqlite3_file *file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }

static int watched_is_locked(sqlite3_file *file, int *result) { return real(file)->pMethods->xCheckReservedLock(real(file), result); }

static int watched_control(sqlite3_file *file, int operation, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int watched_sector_size(sqlite3_file *file) { return real(file)->pMethods->xSectorSize(real(file)); }

static int watched_characteristics(sqlite3_file *file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

static int watched_map(sqlite3_file *file, int region, int size, int extends, void volatile **memory) {
    return real(file)->pMethods->xShmMap(real(file), region, size, extends, memory);
}

static int watched_map_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void watched_map_barrier(sqlite3_file *file) { real(file)->pMethods->xShmBarrier(real(file)); }

static int watched_unmap(sqlite3_file *file, int deletes) { return real(file)->pMethods->xShmUnmap(real(file), deletes); }

// Version 2: nothing is mapped that could be written without a call.
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = watched_close,
    .xRead = watched_read,
    .xWrite = watched_write,
    .xTruncate = watched_truncate,
    .xSync = watched_sync,
    .xFileSize = watched_size,
    .xLock = watched_lock,
    .xUnlock = watched_unlock,
    .xCheckReservedLock = watched_is_locked,
    .xFileControl = watched_control,
    .xSectorSize = watched_sector_size,
    .xDeviceCharacteristics = watched_characteristics,
    .xShmMap = watched_map,
    .xShmLock = watched_map_lock,
    .xShmBarrier = watched_map_barrier,
    .xShmUnmap = watched_unmap,
};

static int watched_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
    (void)vfs;
    struct watched_file *watched = (struct watched_file *)file;
    file->pMethods = NULL;
    int is_there = 1;
    if (path && flags & SQLITE_OPEN_CREATE) disk->xAccess(disk, path, SQLITE_ACCESS_EXISTS, &is_there);
    int answer = is_there ? 0 : ask(FAULTY_DISK_CREATE, path, NULL, 0, 0, 0);
    if (answer > 0) return answer;
    watched->path = path;
    // The disk syncs the directory with the first sync of such a file, and of no other.
    watched->is_new = !is_there && flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL);
    int result = disk->xOpen(disk, path, real(file), flags, given);
    if (real(file)->pMethods) file->pMethods = &methods;
    return result;
}

static int watched_delete(sqlite3_vfs *vfs, const char *path, int syncs_directory) {
    (void)vfs;
    int answer = ask(FAULTY_DISK_DELETE, path, NULL, 0, 0, syncs_directory);
    return answer ? outcome(answer) : disk->xDelete(disk, path, syncs_directory);
}

int faulty_disk_install(faulty_disk_observer observer) {
    static sqlite3_vfs watched;
    disk = sqlite3_vfs_find(NULL);
    if (!disk) return SQLITE_ERROR;
    observe = observer;
    watched = *disk;
    watched.pNext = NULL;
    watched.zName = "faulty-disk";
    watched.szOsFile = (int)sizeof(struct watched_file) + disk->szOsFile;
    watched.xOpen = watched_open;
    watched.xDelete = watched_delete;
    return sqlite3_vfs_register(&watched, 1);
}
