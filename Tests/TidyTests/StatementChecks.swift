/// References to numbered statements of the MQTT standards that are misspelled, or whose number cannot exist.
///
/// `MQTT-` names one of MQTT 3.1.1, whose sections with statements are 1.5; 2.2 and 2.3; 3.1 to 3.14; 4.1 to 4.8; 6.0; `MQTT5-` one of
/// MQTT 5: 1.5; 2.1 and 2.2; 3.1 to 3.15; 4.1 to 4.13; 6.0. No section has more than 33.
func badStatements(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file in
        file.lines.enumerated().flatMap { index, line in
            line.ranges(of: "[" + "MQTT").compactMap { range in
                let rest = line[range.upperBound...].prefix { $0 != "]" }
                // Other brackets may begin with the protocol's name, too: a link, an array of packets.
                guard let dash = rest.firstIndex(of: "-"), ["", "5"].contains(rest[..<dash]) else { return nil }
                let isOfVersion5 = rest[..<dash] == "5"
                let name = rest[rest.index(after: dash)...]
                return isStatement(name, isOfVersion5: isOfVersion5)
                    ? nil : Finding(path: file.path, line: index + 1, reason: "no statement of MQTT: \(name)")
            }
        }
    }
}

/// Whether the text after `MQTT-` or `MQTT5-` has the form of a statement and a possible number.
private func isStatement(_ name: Substring, isOfVersion5: Bool) -> Bool {
    guard let match = name.wholeMatch(of: #/([1-9])\.([0-9]{1,2})\.([0-9]{1,2})-([1-9][0-9]?)/#) else { return false }
    let numbers = [match.1, match.2, match.3, match.4].compactMap { Int($0) }
    guard numbers.count == 4, numbers[3] <= 33 else { return false }
    switch (numbers[0], isOfVersion5) {
    case (1, false): return numbers[1] == 5 && numbers[2] == 3
    case (1, true): return numbers[1] == 5 && (4...7).contains(numbers[2])
    case (2, false): return (2...3).contains(numbers[1]) && numbers[2] <= 3
    case (2, true): return (1...2).contains(numbers[1]) && (1...3).contains(numbers[2])
    case (3, false): return (1...14).contains(numbers[1]) && numbers[2] <= 5
    case (3, true): return (1...15).contains(numbers[1]) && numbers[2] <= 4
    case (4, false): return (1...8).contains(numbers[1]) && numbers[2] <= 5
    case (4, true): return (1...13).contains(numbers[1]) && numbers[2] <= 3
    case (6, _): return numbers[1] == 0 && numbers[2] == 0
    default: return false
    }
}
