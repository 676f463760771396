/// A text that matches regardless of case, as the service compares it.
///
/// It goes through the pattern's UTF-16 units one by one, and takes in the value either the unit in lower case or the unit in upper
/// case, as Java makes them without regard to language and neighbours. So `ß` matches `ß` and `SS`, but `ss` does not match `ß`; half
/// a surrogate pair has no case and no UTF-8 form but `?`.
struct CaselessText: Sendable, Equatable {
    private struct Unit: Sendable, Equatable {
        let lower: [UInt8]
        let upper: [UInt8]
    }

    /// As the pattern has it.
    let spelling: [UInt8]
    /// Equal to the same of every value that matches: where the text stands in tables.
    let folded: [UInt8]
    /// Nil if all units are ASCII: then the folded form says it all.
    private let units: [Unit]?

    init(_ text: ArraySlice<UInt8>) {
        spelling = Array(text)
        if text.allSatisfy({ $0 < 0x80 }) {
            folded = text.map(Self.lowerCase)
            units = nil
            return
        }
        let units = String(decoding: text, as: UTF8.self).utf16.map { unit -> Unit in
            guard let scalar = Unicode.Scalar(unit) else { return Unit(lower: [UInt8(ascii: "?")], upper: [UInt8(ascii: "?")]) }
            return Unit(lower: Array(scalar.properties.lowercaseMapping.utf8), upper: Array(scalar.properties.uppercaseMapping.utf8))
        }
        folded = FoldedText.fold(ArraySlice(units.flatMap(\.lower)))
        self.units = units
    }

    func equals(_ value: ArraySlice<UInt8>) -> Bool { end(in: value) == value.endIndex }

    func begins(_ value: ArraySlice<UInt8>) -> Bool { end(in: value) != nil }

    func ends(_ value: ArraySlice<UInt8>) -> Bool {
        var end = value.endIndex
        guard let units else {
            return value.count >= folded.count && zip(value.suffix(folded.count), folded).allSatisfy { Self.lowerCase($0) == $1 }
        }
        for unit in units.reversed() {
            let before = value[..<end]
            if before.count >= unit.lower.count, before.suffix(unit.lower.count).elementsEqual(unit.lower) {
                end -= unit.lower.count
            } else if before.count >= unit.upper.count, before.suffix(unit.upper.count).elementsEqual(unit.upper) {
                end -= unit.upper.count
            } else {
                return false
            }
        }
        return true
    }

    /// Where the text ends if the value begins with it.
    private func end(in value: ArraySlice<UInt8>) -> Int? {
        guard let units else {
            guard value.count >= folded.count, zip(value, folded).allSatisfy({ Self.lowerCase($0) == $1 }) else { return nil }
            return value.startIndex + folded.count
        }
        var position = value.startIndex
        for unit in units {
            let rest = value[position...]
            if rest.starts(with: unit.lower) {
                position += unit.lower.count
            } else if rest.starts(with: unit.upper) {
                position += unit.upper.count
            } else {
                return nil
            }
        }
        return position
    }

    @inline(__always)
    static func lowerCase(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A") <= byte && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
