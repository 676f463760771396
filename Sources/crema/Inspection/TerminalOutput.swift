import FoundationEssentials
import Glibc

/// Whoever read the output has gone, as `crema tail | head` does.
struct OutputClosed: Error, CustomStringConvertible {
    /// Its reader has what it wanted, which is no failure.
    let isReaderGone: Bool

    var description: String { "the output cannot be written: its reader has gone, or its disk is full" }
}

/// The standard output or error, written without a buffer: a line is there when it happened, also in a pipe.
struct TerminalOutput {
    static let standard = TerminalOutput(descriptor: STDOUT_FILENO)
    static let error = TerminalOutput(descriptor: STDERR_FILENO)

    let descriptor: Int32

    enum Style: String {
        case bold = "1"
        case red = "31"
        case cyan = "36"
        case dim = "2"
    }

    /// Whether people read it in colour: a terminal, and no `NO_COLOR` (no-color.org).
    var hasColour: Bool {
        isatty(descriptor) == 1 && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    }

    /// Characters in a line of the terminal; `nil` where there is none.
    var width: Int? { size?.columns }

    /// Of the terminal; `nil` where there is none.
    var size: (columns: Int, rows: Int)? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    func styled(_ text: String, _ style: Style) -> String {
        hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Writes a whole line at once.
    func write(line: String) throws(OutputClosed) { try write(text: line + "\n") }

    /// Writes text as it is.
    func write(text: String) throws(OutputClosed) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { throw OutputClosed(isReaderGone: count < 0 && errno == EPIPE) }
            written += count
        }
    }

    /// Writes a line that nobody needs to be told about when it is lost.
    func writeLine(_ line: String) {
        try? write(line: line)
    }
}
