import BrokerCore
package import Logging
package import NIOCore
import Synchronization

/// Tells the operator which requests a listener refused: one line for each status and host in a second, and how many were left out.
package final class RefusalLog: Sendable {
    private let logger: Logger
    private let eventLoop: any EventLoop
    private let window = Mutex(LogWindow())

    /// - Parameters:
    ///   - logger: takes the lines.
    ///   - eventLoop: any; it ends each second.
    package init(logger: Logger, eventLoop: any EventLoop) {
        self.logger = logger
        self.eventLoop = eventLoop
    }

    package func report(_ request: RefusedRequest) {
        let subject = "\(request.status) \(Self.host(of: request.peer))"
        let (isAdmitted, isFirst) = window.withLock { window in
            let isFirst = window.isEmpty
            return (window.admits(subject), isFirst)
        }
        if isFirst { eventLoop.scheduleTask(in: .seconds(1)) { self.closeWindow() } }
        guard isAdmitted else { return }
        logger.log(
            level: request.status < 500 ? .notice : .warning, "request refused",
            metadata: [
                "method": "\(LoggedText.escaping(request.method ?? "-"))", "path": "\(LoggedText.escaping(Self.path(of: request)))",
                "status": "\(request.status)", "reason": "\(LoggedText.escaping(request.reason))", "peer": "\(request.peer)",
            ])
    }

    private func closeWindow() {
        for (subject, count) in window.withLock({ $0.close() }) {
            logger.notice("lines left out", metadata: ["subject": "\(LoggedText.escaping(subject))", "count": "\(count)"])
        }
    }

    /// Without the query, which may hold a signature.
    private static func path(of request: RefusedRequest) -> String {
        guard let target = request.target else { return "-" }
        return String(target.prefix { $0 != "?" })
    }

    private static func host(of peer: String) -> Substring {
        peer.lastIndex(of: ":").map { peer[..<$0] } ?? peer[...]
    }
}
