extension JSONView {
    /// Whether two JSON values are the same, however they are written: by the code points of texts, the values of numbers, and the members of
    /// objects in any order.
    ///
    /// Numbers are compared as `Double`. Time grows with the smaller of both.
    func isEqual(to other: JSONView) -> Bool {
        var pending = [(self, other)]
        while let (left, right) = pending.popLast() {
            guard left.kind == right.kind else { return false }
            switch left.kind {
            case .string: guard left.stringBytes == right.stringBytes else { return false }
            case .number:
                guard left.numberText.flatMap({ Double($0) }) == right.numberText.flatMap({ Double($0) }) else { return false }
            case .true, .false, .null: break
            case .array:
                var (ours, theirs) = (left.elements.makeIterator(), right.elements.makeIterator())
                while let element = ours.next() {
                    guard let counterpart = theirs.next() else { return false }
                    pending.append((element, counterpart))
                }
                if theirs.next() != nil { return false }
            case .object:
                let theirs = Dictionary(right.members.map { ($0.name, $0.value) }) { $1 }
                var seen: Set<String> = []
                for member in left.members {
                    guard let counterpart = theirs[member.name] else { return false }
                    seen.insert(member.name)
                    pending.append((member.value, counterpart))
                }
                if seen.count != theirs.count { return false }
            }
        }
        return true
    }
}

extension JSONView {
    /// Bytes that are the same for two values that are equal, and for no others.
    ///
    /// Members are in the order of their names, numbers are `Double`s.
    var canonicalBytes: [UInt8] {
        var output: [UInt8] = []
        appendCanonical(to: &output)
        return output
    }

    /// Recurses as deep as the value nests, at most ``JSONLimits/depthMax``.
    private func appendCanonical(to output: inout [UInt8]) {
        switch kind {
        case .null: output.append(UInt8(ascii: "n"))
        case .true: output.append(UInt8(ascii: "t"))
        case .false: output.append(UInt8(ascii: "f"))
        case .string: JSONText.appendString(stringBytes ?? [], to: &output)
        case .number:
            let number = numberText.flatMap { Double($0) } ?? 0
            // 0 and -0 are one number.
            output += "\(number == 0 ? 0 : number);".utf8
        case .array:
            output.append(UInt8(ascii: "["))
            for element in elements { element.appendCanonical(to: &output) }
            output.append(UInt8(ascii: "]"))
        case .object:
            output.append(UInt8(ascii: "{"))
            for member in members.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                JSONText.appendString(member.key, to: &output)
                member.value.appendCanonical(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }
}
