import Documents
import Rules

/// Where in a document the part of an event pattern stands that the whole is refused for.
///
/// Patterns are compiled from their JSON text, which knows no lines: so the part is looked for that is refused for the same reason alone.
struct PatternFault {
    /// The field that it belongs to, its levels separated by dots.
    private(set) var path: [String] = []
    private(set) var location: SourceLocation
    private let message: String

    init(in pattern: Node, of error: EventPatternError) {
        location = pattern.location
        message = error.message
        narrow(to: pattern) { $0 }
    }

    var field: String { path.joined(separator: ".") }

    /// Goes down while one part alone is refused like the whole; the depth is bounded by ``DocumentLimits/depthMax``.
    private mutating func narrow(to node: Node, _ whole: @escaping (Node) -> Node) {
        switch node.content {
        case .mapping(let entries):
            for entry in entries {
                let part = { (value: Node) in
                    whole(Node(.mapping([.init(key: entry.key, keyLocation: entry.keyLocation, value: value)]), at: node.location))
                }
                guard isRefused(part(entry.value)) else { continue }
                path.append(entry.key)
                location = entry.keyLocation
                return narrow(to: entry.value, part)
            }
        case .sequence(let elements):
            for element in elements {
                let part = { (value: Node) in whole(Node(.sequence([value]), at: node.location)) }
                guard isRefused(part(element)) else { continue }
                location = element.location
                return narrow(to: element, part)
            }
        case .scalar, .unresolved: break
        }
    }

    private func isRefused(_ pattern: Node) -> Bool {
        guard let json = try? pattern.json("EventPattern") else { return false }
        do throws(EventPatternError) {
            _ = try EventPattern(parsing: json)
            return false
        } catch {
            return error.message == message
        }
    }
}
