import FuzzDriver
import Rules

/// What must hold of every event and every pattern that somebody may send.
///
/// The first line of an input is the event, each line after it a pattern.
struct PatternProperties {
    /// More patterns than this say nothing new.
    private static let patternsMax = 8
    /// Explaining all ways of a pattern with many takes long and shows nothing.
    private static let explainedMax = 16

    let event: [UInt8]
    let patterns: [[UInt8]]

    init(input: [UInt8]) {
        let lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: Self.patternsMax, omittingEmptySubsequences: false).map(
            Array.init)
        event = lines[0]
        patterns = Array(lines.dropFirst())
    }

    func check() {
        let document = try? JSONDocument(parsing: event)
        if let document { checkCompactness(document) }
        var index = PatternIndex()
        var compiled: [Int: EventPattern] = [:]
        for (number, text) in patterns.enumerated() {
            do throws(EventPatternError) {
                let pattern = try EventPattern(parsing: text)
                compiled[number] = pattern
                index.insert(pattern, for: number)
            } catch {
                require(!error.message.isEmpty, "a refusal without a reason")
            }
        }
        require(index.count == compiled.count, "a rule is lost")
        var search = EventSearch()
        if let document {
            let alone = compiled.filter { $0.value.matches(document.root) }.keys.sorted()
            require(index.matches(document.root) == alone, "the index disagrees with its patterns")
            require(index.matches(event, using: &search) == alone, "the bytes say something else than the document")
            require(index.matches(event, using: &search) == alone, "what was kept from one event changes the next")
            for (number, pattern) in compiled { checkExplanation(pattern, document.root, matches: alone.contains(number)) }
        } else {
            _ = index.matches(event, using: &search)
        }
        checkCopies(index, compiled.keys.sorted(), document)
    }

    private func checkCompactness(_ document: JSONDocument) {
        let compact = document.root.rawJSON
        let again = try? JSONDocument(parsing: compact, limits: JSONLimits(bytesMax: compact.count))
        require(again?.root.rawJSON == compact, "compact JSON is not JSON")
    }

    private func checkExplanation(_ pattern: EventPattern, _ event: JSONView, matches: Bool) {
        let explanation = pattern.explain(event)
        require(explanation.matches == matches, "the explanation disagrees")
        if explanation.alternatives.count <= Self.explainedMax { require(!explanation.description.isEmpty, "nothing is said") }
    }

    /// A copy is not changed by what happens to the index it was made from, and nothing is left of what was removed.
    private func checkCopies(_ index: PatternIndex, _ rules: [Int], _ document: JSONDocument?) {
        var changed = index
        let before = document.map { index.matches($0.root) }
        for rule in rules.reversed() { changed.remove(rule) }
        require(changed.isVacant, "something is left of removed rules")
        require(document.map { index.matches($0.root) } == before, "a copy was changed")
    }
}
