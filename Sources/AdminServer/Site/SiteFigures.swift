import BrokerCore

/// What a listener for people is told of the program around the broker: asked at each request, never kept.
///
/// Each of these is to be answered at once.
package struct SiteFigures: Sendable {
    /// Listeners that are open, in the order of the configuration.
    package var listeners: @Sendable () -> [OpenedListener]
    /// `nil` where the system does not tell.
    package var process: @Sendable () -> ProcessFigures?
    package var reloads: @Sendable () -> ReloadFigures
    package var spans: @Sendable () -> SpanFigures
    /// `nil` where the log is not at hand.
    package var log: (any LogAccess)?

    package init(
        listeners: @escaping @Sendable () -> [OpenedListener] = { [] }, process: @escaping @Sendable () -> ProcessFigures? = { nil },
        reloads: @escaping @Sendable () -> ReloadFigures = { ReloadFigures() },
        spans: @escaping @Sendable () -> SpanFigures = { SpanFigures() }, log: (any LogAccess)? = nil
    ) {
        self.listeners = listeners
        self.process = process
        self.reloads = reloads
        self.spans = spans
        self.log = log
    }
}

/// A listener that is open, whatever it speaks.
package struct OpenedListener: Sendable, Equatable {
    /// As the log and the list of clients call it.
    package var name: String
    /// As in the configuration: `mqtt`, `wss`, `admin` and so on.
    package var `protocol`: String
    /// `address:port`, as bound.
    package var address: String
    package var isTLS: Bool
    /// How its clients prove who they are, in words.
    package var authentication: String
    /// Connections of HTTP, open now and in all, and how often there were as many as there may be; `nil` where the broker counts them.
    package var connections: (open: Int, accepted: UInt64, timesFull: UInt64)?
    /// Seconds since 1970 at which the certificate ends by which it proves itself; `nil` without TLS.
    package var certificateNotAfter: Int64?

    package init(
        name: String, protocol: String, address: String, isTLS: Bool, authentication: String,
        connections: (open: Int, accepted: UInt64, timesFull: UInt64)? = nil, certificateNotAfter: Int64? = nil
    ) {
        self.name = name
        self.protocol = `protocol`
        self.address = address
        self.isTLS = isTLS
        self.authentication = authentication
        self.connections = connections
        self.certificateNotAfter = certificateNotAfter
    }

    package static func == (left: OpenedListener, right: OpenedListener) -> Bool {
        (left.name, left.protocol, left.address, left.isTLS, left.authentication, left.certificateNotAfter)
            == (right.name, right.protocol, right.address, right.isTLS, right.authentication, right.certificateNotAfter)
    }
}

/// What the operating system says of the process, as Prometheus' client libraries count it.
package struct ProcessFigures: Sendable, Equatable {
    package var cpuSeconds = 0.0
    package var residentBytes: UInt64 = 0
    package var virtualBytes: UInt64 = 0
    package var openFiles = 0
    /// `nil` where there is no limit.
    package var openFilesMax: UInt64?
    /// Since 1970.
    package var startSeconds = 0.0

    package init() {}
}

/// How often the site's files were read anew.
package struct ReloadFigures: Sendable, Equatable {
    package var succeeded: UInt64 = 0
    package var failed: UInt64 = 0
    /// Whether the last one succeeded, or the start if there was none.
    package var lastSucceeded = true
    /// Of the last that succeeded, or of the start; seconds since 1970.
    package var lastSuccessSeconds = 0.0

    package init() {}
}

/// What became of the steps of traces that were to be told to a collector.
package struct SpanFigures: Sendable, Equatable {
    package var sent: UInt64
    /// For want of room, or because the collector did not take them.
    package var dropped: UInt64

    package init(sent: UInt64 = 0, dropped: UInt64 = 0) {
        (self.sent, self.dropped) = (sent, dropped)
    }
}
