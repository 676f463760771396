import Glibc

/// A program could not be started.
struct SpawnFailure: Error, CustomStringConvertible {
    var program: String
    var code: Int32

    var description: String { "\(program) could not be started: \(unsafe String(cString: strerror(code)))" }
}

/// A program that was started, with its output in a pipe.
///
/// Instead of Foundation's `Process`, which here now and then never tells that a program has ended, and whose programs inherit blocked
/// signals from the threads that run tasks, and so cannot be asked to end.
struct SpawnedProgram: Sendable {
    /// The reading end of the pipe.
    struct Output: Sendable {
        fileprivate let descriptor: Int32

        /// The next bytes; `nil` at the end, which also closes the pipe.
        func read() -> [UInt8]? {
            let chunkBytesMax = 4096
            while true {
                var count = 0
                let bytes = unsafe [UInt8](unsafeUninitializedCapacity: chunkBytesMax) { buffer, initialized in
                    count = unsafe Glibc.read(descriptor, buffer.baseAddress, chunkBytesMax)
                    initialized = max(0, count)
                }
                if count > 0 { return bytes }
                if count < 0 && errno == EINTR { continue }
                close(descriptor)
                return nil
            }
        }
    }

    /// Descriptors below this one are closed in the program: more than the demo ever has open.
    private static let descriptorsClosed: Int32 = 512

    let identifier: pid_t
    let output: Output

    /// Starts the command, found along `PATH`, with nothing to read and every signal at its default.
    ///
    /// It leads a process group: a terminal's Ctrl-C is for who started it alone.
    init(_ command: [String]) throws(SpawnFailure) {
        let program = command.first ?? ""
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw SpawnFailure(program: program, code: errno) }
        // No other program may inherit the pipe, or its end would wait for that program's.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }

        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        // Nor what else this one has open, as sockets do not say so themselves; to close what is not open is no mistake here.
        for descriptor in STDERR_FILENO + 1..<Self.descriptorsClosed { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { while let argument = unsafe arguments.popLast() { unsafe free(argument) } }
        var child = pid_t()
        let code = unsafe posix_spawnp(&child, program, &actions, &attributes, &arguments, environ)
        guard code == 0 else {
            close(ends[0])
            throw SpawnFailure(program: program, code: code)
        }
        identifier = child
        output = Output(descriptor: ends[0])
    }

    /// Waits until the program has ended, and leaves its identifier taken.
    func waitUntilEnded() {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }

    /// How the program ended, which frees its identifier; once, after ``waitUntilEnded()``.
    func status() -> Int32 {
        var status: Int32 = 0
        guard unsafe waitpid(identifier, &status, 0) == identifier else { return -1 }
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
    }
}
