/// Shapes what a target gets from an event: values picked by `InputPathsMap`, put into `InputTemplate`.
///
/// | Template | Place | Value | Missing |
/// |---|---|---|---|
/// | JSON | outside quotes | its JSON | `""` |
/// | JSON | inside quotes | scalars as bare text; an object or array fails the delivery | nothing |
/// | strings | inside quotes | scalars as bare text; objects and arrays as JSON without any `"` | nothing |
///
/// Text goes in unescaped. A value that would end or break its string fails the delivery, so it can never add members.
package struct InputTransformer: Sendable {
    /// The longest `InputTemplate`, in bytes (the service counts 8,192 characters).
    package static let templateBytesMax = 8_192
    /// The most keys in `InputPathsMap`.
    package static let pathsMax = 100
    /// The longest payload made, in bytes; a longer one fails the delivery.
    package static let resultBytesMax = 1_048_576

    private let template: InputTemplate

    /// Compiles a transformer.
    ///
    /// - Throws: everything that can be known without an event.
    package init(pathsMap: [(name: String, path: String)], template: String) throws(InputTransformerError) {
        guard template.utf8.count <= InputTransformer.templateBytesMax else {
            throw .templateTooLong(bytesMax: InputTransformer.templateBytesMax)
        }
        guard pathsMap.count <= InputTransformer.pathsMax else { throw .tooManyPaths(pathsMax: InputTransformer.pathsMax) }
        var sources: [ByteKey: InputTemplate.Source] = [:]
        for (number, (name, path)) in pathsMap.enumerated() {
            let bytes = ArraySlice(name.utf8)
            guard !bytes.isEmpty, bytes.allSatisfy(InputTransformer.isNameByte), !bytes.starts(with: "AWS".utf8) else {
                throw .invalidName(name)
            }
            do throws(EventPathError) {
                sources[ByteKey(bytes)] = .path(try EventPath(parsing: path, reach: .wildcards), number: number)
            } catch {
                throw .path(name: name, error)
            }
        }
        self.template = try InputTemplate(parsing: template, sources: sources)
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || JSONParser.isDigit(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    /// The payload for one event.
    ///
    /// - Throws: why there is none; the delivery has failed then.
    package func transform(_ event: JSONView, reserved: ReservedVariables) throws(TransformError) -> [UInt8] {
        var output: [UInt8] = []
        var values: [Int: JSONView?] = [:]
        func value(_ path: EventPath, _ number: Int) -> JSONView? {
            if let known = values[number] { return known }
            let value = path.selection(in: event)
            values[number] = .some(value)
            return value
        }
        for part in template.parts {
            switch part {
            case .literal(let text):
                output.append(contentsOf: text)
            case .json(_, .reserved(let variable)):
                variable.appendJSON(reserved, event: event, to: &output)
            case .json(_, .path(let path, let number)):
                if let value = value(path, number) {
                    value.appendJSON(to: &output)
                } else {
                    output.append(contentsOf: "\"\"".utf8)
                }
            case .text(let name, .reserved(let variable)):
                try append(text: ArraySlice(variable.text(reserved).utf8), of: name, to: &output)
            case .text(let name, .path(let path, let number)):
                guard let value = value(path, number) else { continue }
                try append(text: try text(of: value, name: name), of: name, to: &output)
            }
            guard output.count <= InputTransformer.resultBytesMax else {
                throw .resultTooLong(bytesMax: InputTransformer.resultBytesMax)
            }
        }
        return output
    }

    private func text(of value: JSONView, name: String) throws(TransformError) -> ArraySlice<UInt8> {
        if let scalar = value.scalarText { return scalar }
        guard case .strings = template.form else { throw .notText(placeholder: name) }
        return value.rawJSON.filter { $0 != UInt8(ascii: "\"") }[...]
    }

    private func append(text: ArraySlice<UInt8>, of name: String, to output: inout [UInt8]) throws(TransformError) {
        let isPlain = text.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if !isPlain {
            let quoted = [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")]
            let limits = JSONLimits(bytesMax: quoted.count)
            guard (try? JSONDocument(parsing: quoted, limits: limits)) != nil else {
                throw .breaksString(placeholder: name)
            }
        }
        output.append(contentsOf: text)
    }
}
