/// Why an input transformer is refused when its target is created.
package enum InputTransformerError: Error, Equatable, Sendable, CustomStringConvertible {
    case emptyTemplate
    case templateTooLong(bytesMax: Int)
    case tooManyPaths(pathsMax: Int)
    case invalidName(String)
    case path(name: String, EventPathError)
    /// A placeholder that is neither in the map nor reserved.
    case unknownPlaceholder(String)
    case placeholderInKey(String)
    /// `<aws.events.event>` and `<aws.events.event.json>` are objects: only outside quotes.
    case objectInsideQuotes(String)
    case notJSON(JSONError)
    /// One line of a string template is no quoted string. Lines count from 1.
    case notQuoted(line: Int)

    package var description: String {
        message(target: nil)
    }

    /// The text of the refusal, in the service's wording where that is known.
    package func message(target: String?) -> String {
        let subject = target.map { "InputTemplate for target \($0)" } ?? "InputTemplate"
        return switch self {
        case .emptyTemplate: "\(subject) is empty."
        case .templateTooLong(let bytesMax): "\(subject) is longer than \(bytesMax) bytes."
        case .tooManyPaths(let pathsMax): "InputPathsMap has more than \(pathsMax) keys."
        case .invalidName(let name): "InputPathsMap key '\(name)' is not valid: letters, digits, '_' and '-', not beginning with AWS."
        case .path(let name, let error): "InputPathsMap key '\(name)': \(error)."
        case .unknownPlaceholder(let name): "\(subject) contains invalid placeholder \(name)."
        case .placeholderInKey(let name): "\(subject) has placeholder \(name) in a JSON key."
        case .objectInsideQuotes(let name): "\(subject) has <\(name)> inside quotes; it is an object."
        case .notJSON(let error): "\(subject) is not valid JSON: \(error)."
        case .notQuoted(let line): "\(subject): line \(line) is not one quoted string."
        }
    }
}

/// Why one event got no payload.
///
/// The delivery fails, as it does at the service.
package enum TransformError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An object or array stands inside quotes of a JSON template.
    case notText(placeholder: String)
    /// The value, which goes in unescaped, breaks the string around it.
    case breaksString(placeholder: String)
    case resultTooLong(bytesMax: Int)

    package var description: String {
        switch self {
        case .notText(let name): "placeholder <\(name)> is an object or an array inside quotes: the payload would not be valid JSON"
        case .breaksString(let name): "the value of placeholder <\(name)> would end or break the string around it"
        case .resultTooLong(let bytesMax): "the payload would be longer than \(bytesMax) bytes"
        }
    }
}
