import BrokerCore
import Glibc

/// What happens in a minute, averaged over the last minute, the last five and the last fifteen, as mosquitto does it: each look weighs
/// less the older it is, by `e` to the power of its age over the span.
struct SystemLoads: Sendable {
    private static let spans: [(name: String, seconds: Double)] = [("1min", 60), ("5min", 300), ("15min", 900)]

    private struct Load {
        let name: String
        let count: @Sendable (BrokerStatistics) -> UInt64
        var last: UInt64 = 0
        var averages = [0.0, 0.0, 0.0]
    }

    private var loads: [Load] = [
        Load(name: "messages/received") { $0.packetsReceived },
        Load(name: "messages/sent") { $0.packetsSent },
        Load(name: "publish/dropped") { $0.messagesDropped.values.reduce(0, &+) },
        Load(name: "publish/received") { $0.publishReceived.reduce(0, &+) },
        Load(name: "publish/sent") { $0.publishSent.reduce(0, &+) },
        Load(name: "bytes/received") { $0.bytesReceived },
        Load(name: "bytes/sent") { $0.bytesSent },
        Load(name: "sockets") { $0.connectionsAccepted },
        Load(name: "connections") { $0.connectsAccepted &+ $0.connectionsRefused.values.reduce(0, &+) },
    ]

    init() {}

    /// Takes the counters so many seconds after the last time.
    mutating func take(_ statistics: BrokerStatistics, after seconds: Double) {
        for index in loads.indices {
            let count = loads[index].count(statistics)
            defer { loads[index].last = count }
            guard seconds > 0 else { continue }
            let perMinute = Double(count &- min(loads[index].last, count)) * 60 / seconds
            for (place, span) in Self.spans.enumerated() {
                let kept = exp(-seconds / span.seconds)
                loads[index].averages[place] = perMinute + kept * (loads[index].averages[place] - perMinute)
            }
        }
    }

    /// Below `$SYS/broker/`, with two decimals.
    var topics: [(name: String, value: String)] {
        loads.flatMap { load in
            zip(Self.spans, load.averages).map { ("load/\(load.name)/\($0.name)", Self.text($1)) }
        }
    }

    private static func text(_ value: Double) -> String {
        let hundredths = UInt64(clamping: Int64(max(0, min(value, 1e15)) * 100 + 0.5))
        let rest = String(hundredths % 100)
        return "\(hundredths / 100).\(rest.utf8.count < 2 ? "0" : "")\(rest)"
    }
}

/// The memory of the process that is in RAM, now and at most; mosquitto tells what it has allocated.
struct UsedMemory: Sendable {
    var bytes: UInt64 = 0
    var bytesMaximum: UInt64 = 0

    static var current: UsedMemory {
        var usage = rusage()
        guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return UsedMemory() }
        let most = UInt64(clamping: usage.ru_maxrss) &* 1_024
        return UsedMemory(bytes: residentBytes ?? most, bytesMaximum: most)
    }

    /// The second field of proc(5)'s `statm`, in pages.
    private static var residentBytes: UInt64? {
        let descriptor = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return nil }
        return pages &* UInt64(max(1, sysconf(CInt(_SC_PAGESIZE))))
    }
}
