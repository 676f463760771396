import Logging
package import NIOCore
package import ServiceLifecycle

/// A listener that runs while a test uses it.
package struct RunningListener<Fixture: Sendable>: Sendable {
    package let fixture: Fixture
    package let port: Int
    /// What runs it; a test may end it early.
    package let group: ServiceGroup
    private let ended: AsyncStream<Void>

    package var url: String { "http://127.0.0.1:\(port)" }

    /// Runs a listener on a free port, gives it to the body, and ends it gracefully.
    ///
    /// - Parameters:
    ///   - prepare: makes the fixture and its service, which is to call the closure with the address that it has bound.
    ///   - body: what is done while it listens.
    /// - Throws: what one of the two throws, or the listener.
    package static func with(
        _ prepare: (_ onListening: @escaping @Sendable (SocketAddress) async -> Void) throws -> (Fixture, any Service),
        _ body: @Sendable (RunningListener) async throws -> Void
    ) async throws {
        let (addresses, bound) = AsyncStream<SocketAddress>.makeStream()
        let (ended, end) = AsyncStream<Void>.makeStream()
        let (fixture, service) = try prepare { bound.yield($0) }
        var log = Logger(label: "test")
        log.logLevel = .critical
        let group = ServiceGroup(configuration: .init(services: [service], logger: log))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer {
                    bound.finish()
                    end.finish()
                }
                try await group.run()
            }
            for await address in addresses {
                guard let port = address.port else { break }
                try await body(RunningListener(fixture: fixture, port: port, group: group, ended: ended))
                await group.triggerGracefulShutdown()
            }
            try await tasks.waitForAll()
        }
    }

    /// Ends the listener gracefully, and waits until nothing of it runs.
    package func end() async {
        await group.triggerGracefulShutdown()
        for await _ in ended {}
    }

    /// Sends bytes on a connection of their own; answers with what comes back up to the end of the first answer's head, or of the connection.
    package func exchange(_ bytes: [UInt8]) async throws -> String {
        try await RawClient.run(port: port) { client in
            try await client.send(bytes)
            _ = try await client.receive(Array("\r\n\r\n".utf8))
            return client.text
        }
    }

    /// As ``exchange(_:)``, but reads until the listener closes the connection.
    package func exchangeAll(_ bytes: [UInt8]) async throws -> String {
        try await RawClient.run(port: port) { client in
            try await client.send(bytes)
            _ = try await client.receiveAll()
            return client.text
        }
    }
}
