import Glibc
import Logging

/// How lines of the log are written.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `name=value` pairs, for people.
    case logfmt
    /// One JSON object a line, for programs.
    case json

    /// For people where the log goes to a terminal, and for programs elsewhere.
    package static func suited(to descriptor: CInt) -> LogFormat { isatty(descriptor) == 1 ? .logfmt : .json }
}

extension LogLine {
    /// Names that every line has; metadata that is called the same is told apart by an underscore in front.
    private static let ownNames: Set<String> = ["time", "level", "event", "message", "msg", "logger"]

    private static func field(_ name: String) -> String { ownNames.contains(name) ? "_\(name)" : name }

    /// Appends the line in a format, with what is known besides its own fields in the order of the names.
    func append(to text: inout [UInt8], clock: inout Clock, as format: LogFormat) {
        switch format {
        case .logfmt: appendPairs(to: &text, &clock)
        case .json: appendObject(to: &text, &clock)
        }
        text.append(UInt8(ascii: "\n"))
    }

    // MARK: logfmt

    private func appendPairs(to text: inout [UInt8], _ clock: inout Clock) {
        text.append(contentsOf: "time=".utf8)
        clock.append(time, to: &text)
        let own = [("level", level.rawValue), ("event", event), ("msg", message), ("logger", label)]
        for (name, value) in own { Self.appendPair(name, value, to: &text) }
        for (name, value) in fields { Self.appendPair(Self.field(name), value, to: &text) }
    }

    /// A value as it is, or in quotation marks where a reader could take a part of it for something else: clients choose their names.
    private static func appendPair(_ name: String, _ value: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: " "))
        text.append(contentsOf: name.utf8)
        text.append(UInt8(ascii: "="))
        let isPlain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"") }
        if isPlain { return text.append(contentsOf: value.utf8) }
        QuotedText.append(value, to: &text)
    }

    // MARK: JSON

    private func appendObject(to text: inout [UInt8], _ clock: inout Clock) {
        text.append(contentsOf: "{\"time\":\"".utf8)
        clock.append(time, to: &text)
        text.append(UInt8(ascii: "\""))
        let own = [("level", level.rawValue), ("event", event), ("message", message), ("logger", label)]
        for (name, value) in own { Self.appendMember(name, value, to: &text) }
        for (name, value) in fields { Self.appendMember(Self.field(name), value, to: &text) }
        text.append(UInt8(ascii: "}"))
    }

    private static func appendMember(_ name: String, _ value: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: ","))
        QuotedText.append(name, to: &text)
        text.append(UInt8(ascii: ":"))
        QuotedText.append(value, to: &text)
    }
}
