import FuzzDriver
import Rules

/// What holds for every input transformer and every event.
///
/// The first line of an input is the path of `a`, the second that of `b`, the third the event, and the rest the template.
struct TransformerProperties {
    private let paths: [String]
    private let event: [UInt8]
    private let template: String

    init(input: [UInt8]) {
        var lines = input.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false).map(Array.init)
        while lines.count < 4 { lines.append([]) }
        paths = lines[..<2].map { String(decoding: $0, as: UTF8.self) }
        event = lines[2]
        template = String(decoding: lines[3], as: UTF8.self)
    }

    func check() {
        guard let event = try? JSONDocument(parsing: event).root else { return }
        let map = [(name: "a", path: paths[0]), (name: "b", path: paths[1])]
        checkInput(event, map)
        guard let topic = try? TopicTemplate(parsing: template, placeholders: map) else { return }
        _ = try? topic.render(event)
    }

    private func checkInput(_ event: JSONView, _ map: [(name: String, path: String)]) {
        let transformer: InputTransformer
        do throws(InputTransformerError) {
            transformer = try InputTransformer(pathsMap: map, template: template)
        } catch {
            require(!"\(error)".isEmpty, "a refusal without words")
            return
        }
        let reserved = ReservedVariables(ruleARN: "arn:aws:events:r", ruleName: "r", ingestionTime: "2025-11-23T09:40:00Z")
        guard let result = try? transformer.transform(event, reserved: reserved) else { return }
        require(result.count <= InputTransformer.resultBytesMax, "a result past its limit")
        // A template of JSON gives JSON, whatever the event says.
        guard template.utf8.first(where: { $0 > 0x20 }) == UInt8(ascii: "{") else { return }
        let limits = JSONLimits(bytesMax: InputTransformer.resultBytesMax, depthMax: 3_000)
        guard (try? JSONDocument(parsing: result, limits: limits)) != nil else {
            refuse("JSON that is none: \(String(decoding: result, as: UTF8.self))")
        }
    }
}
