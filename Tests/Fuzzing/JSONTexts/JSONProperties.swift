import FuzzDriver
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
}
