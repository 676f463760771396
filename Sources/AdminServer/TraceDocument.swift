import BrokerCore
import EventBus
import FoundationEssentials

/// One line of the answer to `GET /api/v1/clients/ID/trace`.
package struct TraceDocument: Codable, Sendable, Equatable {
    /// A fact of a step.
    package enum Fact: Codable, Sendable, Equatable {
        case text(String)
        case number(Int)
        case flag(Bool)
        case list([String])

        package init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let flag = try? value.decode(Bool.self) {
                self = .flag(flag)
            } else if let number = try? value.decode(Int.self) {
                self = .number(number)
            } else if let list = try? value.decode([String].self) {
                self = .list(list)
            } else {
                self = .text(try value.decode(String.self))
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .text(let text): try value.encode(text)
            case .number(let number): try value.encode(number)
            case .flag(let flag): try value.encode(flag)
            case .list(let list): try value.encode(list)
            }
        }
    }

    /// UTC, `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    package var time: String
    /// `in` from the client, `out` to it, `decision` of the broker.
    package var direction: String
    /// The packet's type, or what was decided.
    package var packet: String
    package var detail: [String: Fact]
    /// The names in ``detail`` in the order in which they are to be read.
    package var order: [String]
    /// Lines that were left out since the previous one.
    package var skipped: UInt64

    /// `now` is the time on the broker's clock.
    init(_ step: TracedStep, now: Instant) {
        let milliseconds = Int64(Date().timeIntervalSince1970 * 1_000) - (now.nanoseconds - step.at.nanoseconds) / 1_000_000
        let rest = String(milliseconds % 1_000)
        time = timestamp(milliseconds: milliseconds).dropLast() + "." + String(repeating: "0", count: 3 - rest.utf8.count) + rest + "Z"
        direction = step.direction.rawValue
        packet = step.name
        order = step.detail.map(\.name)
        detail = Dictionary(
            step.detail.map { fact in
                switch fact.value {
                case .text(let text): (fact.name, .text(text))
                case .number(let number): (fact.name, .number(number))
                case .flag(let flag): (fact.name, .flag(flag))
                case .list(let list): (fact.name, .list(list))
                }
            }, uniquingKeysWith: { first, _ in first })
        skipped = step.skipped
    }
}
