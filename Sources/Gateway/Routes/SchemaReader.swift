import Documents
import Rules

/// Reads the schema of a model, and those that it refers to.
struct SchemaReader {
    private static let annotations: Set<String> = [
        "title", "description", "default", "example", "examples", "$schema", "id", "deprecated", "readOnly", "writeOnly", "xml",
        "externalDocs",
    ]
    /// Formats that say nothing of a JSON value that its type does not say.
    private static let formats: Set<String> = ["int32", "int64", "float", "double", "password"]

    private let definitions: [String: Node]
    private var schemas: [JSONSchema.Rules] = []
    /// Where each of them is written.
    private var locations: [SourceLocation] = []
    /// The number of each definition that is referred to.
    private var numbers: [String: Int] = [:]
    private var problems = ProblemCollector()

    static func schema(_ node: Node, definitions: [String: Node]) throws(DocumentError) -> JSONSchema {
        var reader = SchemaReader(definitions: definitions)
        // The whole is the first one that is read, also where it is a reference.
        _ = reader.read(node)
        try reader.problems.finish()
        let schema = JSONSchema(reader.schemas)
        if let endless = schema.endless {
            throw DocumentError("the schema leads to itself without a step into the value", at: reader.locations[endless])
        }
        return schema
    }

    private init(definitions: [String: Node]) { self.definitions = definitions }

    // Recursion is bounded by the document's depth: a reference is read once.
    private mutating func read(_ node: Node) -> Int {
        if let reference = node["$ref"] { return read(reference: reference) }
        return add(node)
    }

    private mutating func add(_ node: Node, calling text: String? = nil) -> Int {
        schemas.append(JSONSchema.Rules())
        locations.append(node.location)
        let number = schemas.count - 1
        if let text { numbers[text] = number }
        fill(number, from: node)
        return number
    }

    private mutating func read(reference node: Node) -> Int {
        let prefix = "#/components/schemas/"
        guard let text = try? node.text("$ref"), text.hasPrefix(prefix), let found = definitions[String(text.dropFirst(prefix.count))]
        else {
            problems.add("a schema's $ref must lead to one under `components.schemas`", at: node.location)
            return 0
        }
        if let number = numbers[text] { return number }
        if found["$ref"] != nil {
            problems.add("a schema that is nothing but a $ref is not supported", at: found.location)
            return 0
        }
        return add(found, calling: text)
    }

    private mutating func fill(_ number: Int, from node: Node) {
        do throws(DocumentError) {
            var rules = JSONSchema.Rules()
            for entry in try node.entries("a schema") {
                do throws(DocumentError) { try read(entry, of: node, into: &rules) } catch { problems.add(error) }
            }
            schemas[number] = rules
        } catch {
            problems.add(error)
        }
    }

    private mutating func read(_ entry: Node.Entry, of node: Node, into rules: inout JSONSchema.Rules) throws(DocumentError) {
        let value = entry.value
        switch entry.key {
        case "type": rules.kinds = try kinds(value)
        case "required":
            for name in try value.elements("required") { rules.required.append(try name.text("required")) }
        case "properties":
            for property in try value.entries("properties") { rules.properties[property.key] = read(property.value) }
        case "additionalProperties":
            if value.isScalar {
                if try !value.boolean("additionalProperties") { rules.otherProperties = JSONSchema.none }
            } else {
                rules.otherProperties = read(value)
            }
        case "patternProperties":
            for property in try value.entries(entry.key) {
                rules.patternProperties.append((try pattern(property.key, at: property.keyLocation), read(property.value)))
            }
        case "minProperties": rules.members.lower = try value.integer(entry.key, in: 0...Int.max)
        case "maxProperties": rules.members.upper = try value.integer(entry.key, in: 0...Int.max)
        case "allOf": rules.allOf = try schemas(entry)
        case "anyOf": rules.anyOf = try schemas(entry)
        case "oneOf": rules.oneOf = try schemas(entry)
        case "not": rules.not = read(value)
        case "dependencies":
            for needs in try value.entries(entry.key) { rules.dependencies.append((needs.key, try dependency(needs.value))) }
        case "items":
            if case .sequence(let first) = value.content {
                rules.firstItems = first.map { read($0) }
            } else {
                rules.items = read(value)
            }
        case "additionalItems":
            // Beside one schema for all elements it says nothing.
            guard case .sequence? = node["items"]?.content else { break }
            if value.isScalar {
                if try !value.boolean(entry.key) { rules.items = JSONSchema.none }
            } else {
                rules.items = read(value)
            }
        case "enum":
            for choice in try value.elements("enum") {
                guard let known = try? JSONDocument(parsing: try choice.json("enum")) else { throw unsupported(entry, "a value of `enum`") }
                rules.values.append(known)
            }
        case "minimum": rules.numbers.lower = try decimal(entry)
        case "maximum": rules.numbers.upper = try decimal(entry)
        case "exclusiveMinimum": rules.excludesLower = try value.boolean(entry.key)
        case "exclusiveMaximum": rules.excludesUpper = try value.boolean(entry.key)
        case "minLength": rules.characters.lower = try value.integer(entry.key, in: 0...Int.max)
        case "maxLength": rules.characters.upper = try value.integer(entry.key, in: 0...Int.max)
        case "minItems": rules.elements.lower = try value.integer(entry.key, in: 0...Int.max)
        case "maxItems": rules.elements.upper = try value.integer(entry.key, in: 0...Int.max)
        case "uniqueItems": rules.isUnique = try value.boolean(entry.key)
        case "multipleOf":
            guard let divisor = JSONDivisor(try value.text(entry.key)) else {
                throw DocumentError("multipleOf must be a number above zero", at: value.location)
            }
            rules.divisor = divisor
        case "pattern": rules.pattern = try pattern(try value.text("pattern"), at: value.location)
        case "format":
            let format = try value.text("format")
            rules.format = TextFormat(rawValue: format)
            guard rules.format != nil || Self.formats.contains(format) else { throw unsupported(entry, "the format `\(format)`") }
        default:
            guard Self.annotations.contains(entry.key) || entry.key.hasPrefix("x-") else { throw unsupported(entry, "`\(entry.key)`") }
        }
    }

    private func unsupported(_ entry: Node.Entry, _ what: String) -> DocumentError {
        DocumentError("\(what) is not supported in the schema of a model", at: entry.keyLocation)
    }

    /// Names of members, or a schema.
    private mutating func dependency(_ node: Node) throws(DocumentError) -> JSONSchema.Dependency {
        guard case .sequence(let names) = node.content else { return .schema(read(node)) }
        var members: [String] = []
        for name in names { members.append(try name.text("dependencies")) }
        return .members(members)
    }

    /// Schemas that look at the same value.
    private mutating func schemas(_ entry: Node.Entry) throws(DocumentError) -> [Int] {
        let elements = try entry.value.elements(entry.key)
        guard !elements.isEmpty else { throw DocumentError("\(entry.key) must have a schema in it", at: entry.value.location) }
        return elements.map { read($0) }
    }

    private func kinds(_ node: Node) throws(DocumentError) -> [JSONSchema.Kind] {
        var nodes = [node]
        if case .sequence(let list) = node.content { nodes = list }
        var kinds: [JSONSchema.Kind] = []
        for node in nodes {
            let text = try node.text("type")
            guard let kind = JSONSchema.Kind(rawValue: text) else { throw DocumentError("JSON has no type `\(text)`", at: node.location) }
            kinds.append(kind)
        }
        return kinds
    }

    private func decimal(_ entry: Node.Entry) throws(DocumentError) -> Double {
        let text = try entry.value.text(entry.key)
        guard let value = Double(text), value.isFinite else {
            throw DocumentError("\(entry.key) must be a number", at: entry.value.location)
        }
        return value
    }

    private func pattern(_ text: String, at location: SourceLocation) throws(DocumentError) -> TextPattern {
        do throws(TextPattern.Problem) { return try TextPattern(parsing: text, isWhole: false) } catch {
            throw DocumentError("the pattern `\(text)`: \(error.message)", at: location)
        }
    }
}
