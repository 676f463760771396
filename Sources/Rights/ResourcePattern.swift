/// A resource of a statement after its variables are filled: `*` stands for any run of characters, `?` for one.
///
/// MQTT's own wildcards are characters like any other.
struct ResourcePattern: Sendable, Hashable {
    /// UTF-8, with two bytes that do not occur in it for the wildcards.
    private(set) var bytes: [UInt8] = []

    static let anyRun: UInt8 = 0xff
    static let anyOne: UInt8 = 0xfe

    init() {}

    /// A text in which `*` and `?` are wildcards and nothing else is special.
    init(wildcardsIn text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "*"): appendAnyRun()
            case UInt8(ascii: "?"): appendAnyOne()
            default: bytes.append(byte)
            }
        }
    }

    mutating func append(_ text: some Sequence<UInt8>) { bytes.append(contentsOf: text) }
    mutating func appendAnyRun() { if bytes.last != Self.anyRun { bytes.append(Self.anyRun) } }
    mutating func appendAnyOne() { bytes.append(Self.anyOne) }

    /// Whether the pattern stands for the name.
    ///
    /// Goes back at most to the last `*`: time grows with the product of both lengths at worst, which limits bound.
    ///
    /// - Parameters:
    ///   - name: UTF-8.
    ///   - isFilter: the name is a topic filter that asks to be granted. Then `?` is neither `+` nor `#`: a filter is granted only what lies
    ///     within the grant, and one character does not stand for a level or more.
    /// - Returns: whether it does.
    func matches(_ name: [UInt8], isFilter: Bool) -> Bool {
        var (at, position) = (0, 0)
        var retry: (at: Int, position: Int)?
        while position < name.count {
            if at < bytes.count, bytes[at] == Self.anyRun {
                retry = (at + 1, position)
                at += 1
            } else if at < bytes.count, let next = step(bytes[at], over: name, at: position, isFilter: isFilter) {
                at += 1
                position = next
            } else if let last = retry {
                (at, position) = (last.at, last.position + 1)
                retry = (at, position)
            } else {
                return false
            }
        }
        return at == bytes.count || (at == bytes.count - 1 && bytes[at] == Self.anyRun)
    }

    /// The position behind what one byte of the pattern stands for.
    private func step(_ byte: UInt8, over name: [UInt8], at position: Int, isFilter: Bool) -> Int? {
        guard byte == Self.anyOne else { return name[position] == byte ? position + 1 : nil }
        let isWildcard = name[position] == UInt8(ascii: "+") || name[position] == UInt8(ascii: "#")
        if isFilter, isWildcard { return nil }
        var next = position + 1
        while next < name.count, name[next] & 0xc0 == 0x80 { next += 1 }  // the rest of one character
        return next
    }
}
