/// The methods of texts that take regular expressions.
extension VTLEvaluation {
    /// The expression of a call, which may have been computed.
    mutating func expression(_ call: VTLCall, _ text: ArraySlice<UInt8>) throws(VTLFailure) -> RegularExpression {
        if let expression = call.expression { return expression }
        try spend(steps: 64)
        // An expression that the request brings costs what reading it costs.
        let result = try search { steps -> Result<RegularExpression, RegularExpressionProblem>? in
            do throws(RegularExpressionProblem) { return .success(try call.method.expression(text, steps: &steps)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let expression): return expression
        case .failure(let problem): throw .invalid("\(call.method.rawValue): \(problem.message)")
        case nil: throw .invalid("\(call.method.rawValue): the expression cannot be read")
        }
    }

    mutating func matches(_ expression: RegularExpression, _ text: ArraySlice<UInt8>) throws(VTLFailure) -> Bool {
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        try spend(bytes: scalars.count)
        // The expression was compiled to hold for the whole text.
        return try search { expression.firstMatch(in: scalars, from: 0, wantsGroups: false, steps: &$0) } != nil
    }

    mutating func replacing(
        _ expression: RegularExpression, by other: ArraySlice<UInt8>, in text: ArraySlice<UInt8>, once: Bool
    ) throws(VTLFailure) -> VTLValue {
        guard let replacement = RegularExpressionReplacement(parsing: other, groupCount: expression.groupCount) else {
            throw .invalid("replaceAll: `\(String(decoding: other, as: UTF8.self))` names a group that the expression does not have")
        }
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        var output: [UInt8] = []
        var copied = 0
        try forEachMatch(of: expression, in: scalars, once: once, parts: replacement.parts.count) { found in
            output += Self.utf8(scalars[copied..<found[0]])
            replacement.append(found, of: scalars, to: &output)
            copied = found[1]
            return output.count
        }
        output += Self.utf8(scalars[copied...])
        try spend(bytes: output.count)
        return .text(output[...])
    }

    /// The texts between the matches, without empty ones at the end.
    mutating func pieces(of text: ArraySlice<UInt8>, between expression: RegularExpression) throws(VTLFailure) -> VTLValue {
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        try forEachMatch(of: expression, in: scalars, once: false) { found in
            // An empty match at the start gives no empty piece.
            if found[1] == 0 || found[0] == scalars.count && found[0] == found[1] { return 0 }
            pieces.append(Self.utf8(scalars[start..<found[0]])[...])
            start = found[1]
            return pieces.count * Self.elementBytes
        }
        let isWhole = pieces.isEmpty
        pieces.append(Self.utf8(scalars[start...])[...])
        // As in Java: a text without a match stays whole, also an empty one; of cut ones nothing is left where all pieces are empty.
        while !isWhole, pieces.last?.isEmpty ?? false { pieces.removeLast() }
        try spend(bytes: text.count)
        return try newList(pieces.map { .text($0) })
    }

    /// The body is given where a match and its groups lie, and answers how many bytes there are by then; it looks at so many `parts` each time.
    private mutating func forEachMatch(
        of expression: RegularExpression, in text: [Unicode.Scalar], once: Bool, parts: Int = 0, _ body: ([Int]) -> Int
    ) throws(VTLFailure) {
        try spend(bytes: text.count)
        var position = 0
        while position <= text.count {
            // A search begins with a note for each instruction.
            try spend(steps: 1 + expression.instructions.count / 64)
            let found = try search { expression.firstMatch(in: text, from: position, wantsGroups: true, steps: &$0) }
            guard let found else { return }
            try spend(steps: parts)
            guard body(found) <= VTLTemplate.workBytesMax else { throw VTLFailure.workTooLarge }
            if once { return }
            // After an empty match the next one begins a character further on.
            position = found[1] > found[0] ? found[1] : found[1] + 1
        }
    }

    fileprivate static func utf8(_ scalars: ArraySlice<Unicode.Scalar>) -> [UInt8] {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return Array(String(text).utf8)
    }
}

extension VTLMethod {
    /// The expression that is searched for where the method is called with this one.
    func expression(_ text: ArraySlice<UInt8>) throws(RegularExpressionProblem) -> RegularExpression {
        var steps = Int.max
        return try expression(text, steps: &steps)
    }

    /// The same within a budget of steps, which ``RegularExpression/init(parsing:steps:)`` counts down.
    func expression(_ text: ArraySlice<UInt8>, steps: inout Int) throws(RegularExpressionProblem) -> RegularExpression {
        guard self == .matches else { return try RegularExpression(parsing: text, steps: &steps) }
        return try RegularExpression(parsing: "\\A(?:".utf8 + text + ")\\z".utf8, steps: &steps)
    }
}

extension RegularExpressionReplacement {
    /// Appends what replaces a match.
    fileprivate func append(_ found: [Int], of text: [Unicode.Scalar], to output: inout [UInt8]) {
        for part in parts {
            switch part {
            case .text(let text): output += text
            case .group(let group):
                let (first, last) = (found[group * 2], found[group * 2 + 1])
                if first >= 0, last >= first { output += VTLEvaluation.utf8(text[first..<last]) }
            }
        }
    }
}
