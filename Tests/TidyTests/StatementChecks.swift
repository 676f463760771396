/// References to numbered statements of the MQTT standards that are misspelled, so that no look-up finds them.
///
/// Whether such a statement exists is for ``brokenConformance(_:in:)`` to say.
func badStatements(_ files: [TextFile]) -> [Finding] {
    files.flatMap { file in
        file.lines.enumerated().flatMap { index, line in
            line.ranges(of: "[MQTT").compactMap { range in
                let name = line[range.upperBound...].prefix { $0 != "]" }
                guard name.prefixMatch(of: #/[0-9]* *-/#) != nil, !isStatement(name) else { return nil }
                return Finding(path: file.path, line: index + 1, reason: "no statement of MQTT: \(name)")
            }
        }
    }
}

/// Whether the text after `MQTT` is `-`, or `5-` for MQTT 5, with a section and a number.
private func isStatement(_ name: Substring) -> Bool {
    name.wholeMatch(of: #/5?-[1-7]\.[0-9]{1,2}\.[0-9]-[1-9][0-9]?/#) != nil
}
