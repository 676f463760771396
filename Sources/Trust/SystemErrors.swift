import Glibc

/// The C library's texts for `errno`.
enum SystemErrors {
    static func text(_ code: Int32) -> String {
        // strerror answers from a buffer of the calling thread since glibc 2.32.
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
