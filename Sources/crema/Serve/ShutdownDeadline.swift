import BrokerServer
import Foundation
import Logging

/// Ends the process when its shutdown does not come to its end: because of a disk that does not answer, or of a mistake in Crema.
///
/// By a thread of its own, for those that all else runs on may be what is stuck.
struct ShutdownDeadline: Sendable {
    /// How long everything may take to finish after SIGTERM, in seconds; then it is cut off.
    static let secondsMax: Int64 = 20
    /// How long what was cut off may still take, in seconds; then the process ends with 1.
    private static let graceSeconds: Int64 = 3

    let log: Logger
    let writer: LogWriter

    /// To be called when the shutdown begins.
    func begin() {
        Thread.detachNewThread { [self] in
            Thread.sleep(forTimeInterval: Double(Self.secondsMax + Self.graceSeconds))
            log.critical(
                "the shutdown has not come to its end, and the process ends without it: something does not return, most likely a disk",
                metadata: .event("shutdown_stuck"))
            writer.finish()
            _exit(1)  // what `exit` would do before may be stuck, too
        }
    }
}
