import Foundation
import Logging
import NIOCore
import NIOPosix

/// Tells the supervisor that started the program how it is: systemd's `sd_notify` protocol (`sd_notify(3)`).
///
/// One datagram for each message to the socket that `NOTIFY_SOCKET` names. A supervisor that does not take them costs a line of the log,
/// nothing else: clients matter more than who watches.
struct Supervisor: Sendable {
    enum Message: Sendable, Equatable {
        case ready
        /// The clock's time in microseconds, by which the supervisor tells an old ``ready`` from the one that ends the reload.
        case reloading(monotonicMicroseconds: Int64)
        case stopping
        case alive

        var text: String {
            switch self {
            case .ready: "READY=1\nSTATUS=Serving"
            case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)\nSTATUS=Reading the configuration anew"
            case .stopping: "STOPPING=1\nSTATUS=Letting clients finish"
            case .alive: "WATCHDOG=1"
            }
        }
    }

    /// How often the supervisor wants a sign of life; `nil` where it does not ask.
    let watchdog: Duration?
    private let channel: any Channel
    private let log: Logger

    /// Connects to the supervisor's socket; `nil` where the environment names none, or one that cannot be used.
    static func connect(_ environment: [String: String], on group: any EventLoopGroup, log: Logger) async -> Supervisor? {
        guard let path = environment["NOTIFY_SOCKET"], !path.isEmpty else { return nil }
        guard path.hasPrefix("/") else {
            // `@` and `vsock:`, which systemd documents, too.
            log.warning(
                "NOTIFY_SOCKET is no path: the supervisor is told nothing",
                metadata: ["socket": "\(path)"])
            return nil
        }
        do {
            let channel = try await DatagramBootstrap(group: group).connect(unixDomainSocketPath: path).get()
            return Supervisor(watchdog: watchdog(environment), channel: channel, log: log)
        } catch {
            log.warning("the supervisor cannot be told anything", metadata: ["socket": "\(path)", "reason": "\(error)"])
            return nil
        }
    }

    private init(watchdog: Duration?, channel: any Channel, log: Logger) {
        (self.watchdog, self.channel, self.log) = (watchdog, channel, log)
    }

    /// `WATCHDOG_USEC`, unless `WATCHDOG_PID` says that it is for another process.
    private static func watchdog(_ environment: [String: String]) -> Duration? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), microseconds > 0 else { return nil }
        if let process = environment["WATCHDOG_PID"].flatMap({ Int32($0) }), process != ProcessInfo.processInfo.processIdentifier {
            return nil
        }
        return .microseconds(microseconds)
    }

    /// Sends a message, and waits for nothing: a supervisor that does not read holds nobody up.
    func tell(_ message: Message) {
        channel.writeAndFlush(ByteBuffer(string: message.text)).whenFailure { [log] error in
            log.warning("the supervisor was not told", metadata: ["message": "\(message)", "reason": "\(error)"])
        }
    }
}
