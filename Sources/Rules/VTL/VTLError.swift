/// Why a template is refused when it is loaded.
package struct VTLError: Error, Equatable, Sendable, CustomStringConvertible {
    /// In the template, from 1.
    package let line: Int
    /// In bytes, from 1.
    package let column: Int
    package let message: String

    package var description: String { "\(message) (line \(line), column \(column) of the template)" }
}

/// Why a template has no result for a request.
package enum VTLFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// More steps than ``VTLTemplate/stepsMax``.
    case tooManySteps
    /// One `#foreach` would go through more than ``VTLTemplate/loopPassesMax`` elements.
    case tooManyPasses
    /// The result grew past ``VTLTemplate/resultBytesMax``.
    case resultTooLong
    /// The texts made on the way grew past ``VTLTemplate/workBytesMax``.
    case workTooLarge
    /// A list or map holds others deeper than ``VTLTemplate/nestingMax``.
    case tooDeep
    /// The regular expressions took more steps than ``VTLTemplate/regexStepsMax``.
    case regexTooSlow
    /// What a method or function was given is nothing that it takes.
    case invalid(String)

    package var description: String {
        switch self {
        case .tooManySteps: "the template takes more than \(VTLTemplate.stepsMax) steps for this request (templateStepsMax)"
        case .tooManyPasses: "#foreach has more than \(VTLTemplate.loopPassesMax) elements (templateLoopPassesMax)"
        case .resultTooLong: "the result is longer than \(VTLTemplate.resultBytesMax) bytes (templateResultBytesMax)"
        case .workTooLarge: "the texts on the way are longer than \(VTLTemplate.workBytesMax) bytes (templateWorkBytesMax)"
        case .tooDeep: "lists and maps nest deeper than \(VTLTemplate.nestingMax) levels (templateNestingMax)"
        case .regexTooSlow: "the regular expressions take more than \(VTLTemplate.regexStepsMax) steps (templateRegexStepsMax)"
        case .invalid(let reason): reason
        }
    }
}
