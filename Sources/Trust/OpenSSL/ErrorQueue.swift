import COpenSSL

/// libcrypto's errors, which it keeps in one queue per thread.
///
/// A call that fails leaves entries behind that the next failure would be blamed for. So: ``clear()`` before a call whose errors
/// matter, ``drain()`` where it failed. Nothing between the two may suspend.
enum ErrorQueue {
    /// Entries that are put into words; a queue holds 16.
    static let entriesMax = 4

    static func clear() {
        ERR_clear_error()
    }

    /// The newest entry's code, without taking it out; 0 when there is none.
    static var newest: UInt {
        ERR_peek_last_error()
    }

    /// Empties the queue and says what was in it, oldest first.
    static func drain() -> String {
        var texts: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            guard texts.count < entriesMax else { continue }
            if let reason = unsafe ERR_reason_error_string(code) {
                unsafe texts.append(String(cString: reason))
            } else {
                texts.append("error 0x" + String(code, radix: 16))
            }
        }
        return texts.isEmpty ? "no detail given" : texts.joined(separator: "; ")
    }
}

extension TrustError {
    /// A call failed that no input makes fail.
    static func draining(_ operation: String) -> TrustError {
        .cryptography(operation: operation, detail: ErrorQueue.drain())
    }
}
