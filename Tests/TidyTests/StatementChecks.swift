/// References to numbered statements of the MQTT standards that are misspelled, or whose number cannot exist.
///
/// The sections with statements are, in MQTT 3.1.1 and 5: 1.5; 2.1 to 2.3; 3.1 to 3.15; 4.1 to 4.13; 6.0. No section has more than 33.
func badStatements(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file in
        file.lines.enumerated().flatMap { index, line in
            line.ranges(of: "[MQTT" + "-").compactMap { range in
                let name = line[range.upperBound...].prefix { $0 != "]" }
                return isStatement(name) ? nil : Finding(path: file.path, line: index + 1, reason: "no statement of MQTT: \(name)")
            }
        }
    }
}

/// Whether the text after `MQTT-` has the form of a statement and a possible number.
private func isStatement(_ name: Substring) -> Bool {
    guard let match = name.wholeMatch(of: #/([1-9])\.([0-9]{1,2})\.([0-9]{1,2})-([1-9][0-9]?)/#) else { return false }
    let numbers = [match.1, match.2, match.3, match.4].compactMap { Int($0) }
    guard numbers.count == 4, numbers[3] <= 33 else { return false }
    switch numbers[0] {
    case 1: return numbers[1] == 5 && (1...6).contains(numbers[2])
    case 2: return (1...3).contains(numbers[1]) && numbers[2] <= 4
    case 3: return (1...15).contains(numbers[1]) && numbers[2] <= 7
    case 4: return (1...13).contains(numbers[1]) && numbers[2] <= 4
    case 6: return numbers[1] == 0 && numbers[2] == 0
    default: return false
    }
}
