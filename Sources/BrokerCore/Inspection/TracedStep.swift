/// One thing that happened between the broker and a client that somebody traces.
package struct TracedStep: Sendable, Equatable {
    package enum Direction: String, Sendable {
        /// From the client.
        case received = "in"
        /// To the client.
        case sent = "out"
        /// What the broker made of it.
        case decision
    }

    /// A fact, with its name.
    package struct Detail: Sendable, Equatable {
        package enum Value: Sendable, Equatable {
            case text(String)
            case number(Int)
            case flag(Bool)
            case list([String])
        }

        package var name: String
        package var value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }

        /// A text that a client may have chosen: cut, so that a line stays one.
        static func text(_ name: String, _ text: String) -> Detail { Detail(name, .text(TracedStep.cut(text))) }
        static func number(_ name: String, _ number: some BinaryInteger) -> Detail { Detail(name, .number(Int(clamping: number))) }
        static func flag(_ name: String, _ flag: Bool) -> Detail { Detail(name, .flag(flag)) }

        /// The first texts; what is left out is said in the last one.
        static func list(_ name: String, _ texts: [String]) -> Detail {
            var shown = texts.prefix(TracedStep.listMax).map { TracedStep.cut($0) }
            if texts.count > TracedStep.listMax { shown.append("and \(texts.count - TracedStep.listMax) more") }
            return Detail(name, .list(shown))
        }
    }

    /// Bytes of a text that are shown.
    package static let textBytesMax = 512
    /// Texts of a list that are shown.
    package static let listMax = 16

    package var at: Instant
    package var direction: Direction
    /// The packet's type, or what was decided.
    package var name: String
    /// In the order in which they are to be read.
    package var detail: [Detail]
    /// What came since the previous one and was left out.
    package var skipped: UInt64

    package init(at: Instant, direction: Direction, name: String, detail: [Detail], skipped: UInt64 = 0) {
        self.at = at
        self.direction = direction
        self.name = name
        self.detail = detail
        self.skipped = skipped
    }

    fileprivate static func cut(_ text: String) -> String {
        if text.utf8.count <= textBytesMax { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: textBytesMax)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + "…"
    }
}
