#ifndef FAULTY_DISK_H
#define FAULTY_DISK_H

#include <stdint.h>

/// What SQLite asks of a disk that a power cut or a fault can spoil.
enum faulty_disk_operation {
    /// A file is made that was not there.
    FAULTY_DISK_CREATE,
    FAULTY_DISK_WRITE,
    FAULTY_DISK_TRUNCATE,
    FAULTY_DISK_SYNC,
    FAULTY_DISK_DELETE,
};

struct faulty_disk_call {
    enum faulty_disk_operation operation;
    /// The whole path of the file.
    const char *path;
    /// What is written; only as long as the call lasts.
    const void *bytes;
    int count;
    /// Where it is written; of a truncation, the size that is left.
    int64_t offset;
    /// Whether the directory is synced with it: of a deletion, or of the first sync of a log or a journal that was made.
    int syncs_directory;
};

/// Not carried out, and reported as done.
#define FAULTY_DISK_PRETEND (-1)

/// Is asked before each call: 0 has it carried out, FAULTY_DISK_PRETEND has it left, and anything else is SQLite's code of the error that it ends with.
typedef int (*faulty_disk_observer)(const struct faulty_disk_call *call);

/// Puts the observer between SQLite and the disk, for every file that this process opens from now on.
///
/// Once in a process. Returns 0, or SQLite's code of an error.
int faulty_disk_install(faulty_disk_observer observer);

#endif
