/// Why a text is no pattern of times, or not one that is supported.
struct TimePatternProblem: Error, Equatable {
    let message: String
}

/// How a time is written: letters that stand for its parts, and text in between.
struct TimePattern: Sendable {
    enum Item: Equatable, Sendable {
        case text(String)
        /// A letter, and how many times it stands there.
        case field(Character, Int)
    }

    /// The longest pattern, in bytes.
    static let bytesMax = 256
    /// What parse_time writes: Joda-Time's letters.
    static let written: Set<Character> = [
        "G", "C", "Y", "x", "w", "e", "E", "y", "D", "M", "d", "a", "K", "h", "H", "k", "m", "s", "S", "z", "Z",
    ]
    /// What time_to_epoch reads: those of java.time that a time can be made of.
    static let read: Set<Character> = [
        "G", "y", "u", "M", "L", "d", "D", "E", "a", "K", "h", "H", "k", "m", "s", "S", "V", "z", "O", "X", "x", "Z",
    ]

    let items: [Item]

    /// Whether what is read may name a region.
    var namesZones: Bool {
        items.contains { item in
            if case .field(let letter, _) = item { letter == "V" || letter == "z" } else { false }
        }
    }

    init(parsing bytes: ArraySlice<UInt8>, letters: Set<Character>) throws(TimePatternProblem) {
        guard bytes.count <= TimePattern.bytesMax else {
            throw TimePatternProblem(message: "a pattern of times is longer than \(TimePattern.bytesMax) bytes")
        }
        var items: [Item] = []
        var text = ""
        var rest = Substring(decoding: bytes, as: UTF8.self)
        while let character = rest.first {
            if character == "'" {
                rest.removeFirst()
                text += try TimePattern.quoted(&rest)
            } else if character.isASCII, character.isLetter {
                let run = rest.prefix { $0 == character }
                rest = rest.dropFirst(run.count)
                guard letters.contains(character) else {
                    throw TimePatternProblem(message: "the letter '\(character)' in a pattern of times is not supported")
                }
                if letters == TimePattern.written, character == "z", run.count > 3 {
                    throw TimePatternProblem(message: "long names of time zones ('\(run)') are not supported")
                }
                if !text.isEmpty { items.append(.text(text)) }
                text = ""
                items.append(.field(character, run.count))
            } else if "[]{}#".contains(character), letters == TimePattern.read {
                throw TimePatternProblem(message: "'\(character)' in a pattern of times is not supported")
            } else {
                text.append(character)
                rest.removeFirst()
            }
        }
        if !text.isEmpty { items.append(.text(text)) }
        self.items = items
    }

    /// What stands after a quote: a quote, or text up to the next one.
    private static func quoted(_ rest: inout Substring) throws(TimePatternProblem) -> String {
        if rest.first == "'" {
            rest.removeFirst()
            return "'"
        }
        var text = ""
        while let character = rest.popFirst() {
            if character != "'" {
                text.append(character)
            } else if rest.first == "'" {
                text.append(rest.removeFirst())
            } else {
                return text
            }
        }
        throw TimePatternProblem(message: "a quote in a pattern of times is not closed")
    }

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value.magnitude)
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
