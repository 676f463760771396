import AdminServer
import BrokerCore
import BrokerServer
import BrokerStore
import Documents
import EventBus
import Gateway
import Queues
import Things
import Tokens
import Trust

/// Every limit that a configuration may set, over all parts of the program.
enum KnownLimits {
    /// The names under `limits:`.
    static let names = [
        [eventLoopsMax], BrokerLimits.names.map(\.name), EventBusLimits.names.map(\.name), DeliveryLimits.names.map(\.name),
        QueueLimits.names.map(\.name), CredentialLimits.names.map(\.name), TokenLimits.names.map(\.name),
        ThingLimits.names.map(\.name), GatewayLimits.names.map(\.name), SignatureLimits.names.map(\.name),
        InspectionLimits.names.map(\.name), StoreLimits.names.map(\.name),
    ].flatMap(\.self).sorted()

    /// What a configuration may set.
    static let settable = SettableLimits(names, ranges: StoreLimits.ranges.merging(BrokerLimits.ranges) { $1 })

    /// Those that a reload brings; all others are taken at a start.
    static let reloadable: Set<String> = {
        let pages = ["pageFilesMax", "pageBytesInAllMax"]  // asked when the configuration is read
        let passwords = ["passwordsRememberedMax", "passwordsRememberedSecondsMax"]
        return Set(BrokerLimits.names.map(\.name) + pages + passwords).subtracting(BrokerLimits.keptUntilRestart)
    }()

    /// Event loops that serve MQTT, each with its shard.
    private static let eventLoopsMax = "eventLoopsMax"

    /// Half of the cores unless set: what crosses from one loop to another costs, and the kernel's network work wants the other half.
    static func eventLoops(_ values: [String: Int], cores: Int) -> Int { values[eventLoopsMax] ?? max(1, cores / 2) }

    static func broker(_ values: [String: Int]) -> BrokerLimits {
        OpenFiles.bounding(set(values, BrokerLimits.names, in: BrokerLimits()))
    }

    static func credentials(_ values: [String: Int]) -> CredentialLimits {
        set(values, CredentialLimits.names, in: CredentialLimits())
    }

    static func eventBus(_ values: [String: Int]) -> EventBusLimits {
        set(values, EventBusLimits.names, in: EventBusLimits())
    }

    static func deliveries(_ values: [String: Int]) -> DeliveryLimits {
        set(values, DeliveryLimits.names, in: DeliveryLimits())
    }

    static func queues(_ values: [String: Int]) -> QueueLimits {
        set(values, QueueLimits.names, in: QueueLimits())
    }

    static func things(_ values: [String: Int]) -> ThingLimits {
        set(values, ThingLimits.names, in: ThingLimits())
    }

    static func gateway(_ values: [String: Int]) -> GatewayLimits {
        set(values, GatewayLimits.names, in: GatewayLimits())
    }

    static func signatures(_ values: [String: Int]) -> SignatureLimits {
        set(values, SignatureLimits.names, in: SignatureLimits())
    }

    static func inspection(_ values: [String: Int]) -> InspectionLimits {
        set(values, InspectionLimits.names, in: InspectionLimits())
    }

    static func store(_ values: [String: Int]) -> StoreLimits {
        set(values, StoreLimits.names, in: StoreLimits())
    }

    static func tokens(_ values: [String: Int]) -> TokenLimits {
        set(values, TokenLimits.names, in: TokenLimits())
    }

    private static func set<Limits>(
        _ values: [String: Int], _ names: [(name: String, path: any WritableKeyPath<Limits, Int> & Sendable)], in defaults: Limits
    ) -> Limits {
        var limits = defaults
        for (name, path) in names {
            if let value = values[name] { limits[keyPath: path] = value }
        }
        return limits
    }
}
