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
