import Foundation
import Rules

/// What must hold of every JSON text that somebody may send.
struct JSONProperties {
    private static let depthMax = 64

    let text: [UInt8]

    func check() {
        let limits = JSONLimits(bytesMax: 1 << 20, depthMax: Self.depthMax)
        let root: JSONView
        do throws(JSONError) { root = try JSONDocument(parsing: text, limits: limits).root } catch {
            require(error.offset >= 0 && error.offset <= text.count, "a mistake outside the text")
            require(!"\(error)".isEmpty, "a refusal without a reason")
            return
        }
        let compact = root.rawJSON
        require(compact.count <= text.count, "compact JSON is longer")
        let again = try? JSONDocument(parsing: compact, limits: limits)
        require(again?.root.rawJSON == compact, "compact JSON is not JSON, or not compact")
        if let again { compare(root, again.root) }
        // Foundation refuses some numbers and depths that are JSON; what it reads must be the same.
        guard let other = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed) else { return }
        compare(root, with: other)
        // Shorter by one byte, or deeper than is allowed, it is refused.
        require((try? JSONDocument(parsing: text, limits: JSONLimits(bytesMax: text.count - 1))) == nil, "the limit of bytes does not hold")
    }

    /// The depth is limited above, so this recursion is.
    private func compare(_ left: JSONView, _ right: JSONView) {
        require(left.kind == right.kind, "compact JSON has another kind")
        require(left.scalarText == right.scalarText, "compact JSON has another value")
        let (elements, others) = (Array(left.elements), Array(right.elements))
        require(elements.count == others.count, "compact JSON has more or fewer elements")
        for (element, other) in zip(elements, others) { compare(element, other) }
        let (members, otherMembers) = (Array(left.members), Array(right.members))
        require(members.map(\.key) == otherMembers.map(\.key), "compact JSON has other members")
        for (member, other) in zip(members, otherMembers) { compare(member.value, other.value) }
        for (position, element) in elements.prefix(4).enumerated() {
            require(left[element: position]?.rawJSON == element.rawJSON, "an element is not found at its place")
        }
        require(left[element: elements.count] == nil, "an element behind the last one")
        for member in members.prefix(4) { require(left[member.key]?.rawJSON == member.value.rawJSON, "a member is not found by its key") }
    }

    private func compare(_ view: JSONView, with value: Any) {
        switch value {
        case let text as String: require(view.stringValue?.unicodeScalars.elementsEqual(text.unicodeScalars) == true, "another text")
        case let array as [Any]:
            let elements = Array(view.elements)
            require(view.kind == .array && elements.count == array.count, "another array")
            for (element, other) in zip(elements, array) { compare(element, with: other) }
        case let object as [String: Any]:
            // Swift's strings call canonically equivalent keys equal, JSON does not: only where none fell together.
            let members = Array(view.members)
            require(view.kind == .object && members.count >= object.count, "another object")
            guard members.count == object.count else { return }
            for member in members {
                guard let other = object[member.name] else { return require(false, "a key that is not there") }
                if members.count(where: { $0.name == member.name }) == 1 { compare(member.value, with: other) }
            }
        case is NSNull: require(view.kind == .null, "another value than null")
        default: require(view.kind == .number || view.kind == .true || view.kind == .false, "a value of another kind")
        }
    }

    /// As `precondition`, but says what is wrong in an optimized build, too.
    private func require(_ condition: Bool, _ message: String) {
        if !condition { fatalError(message) }
    }
}
