/// A mapping template of API Gateway: text with Velocity's references and directives, compiled when it is loaded.
///
/// What of the language is not supported is refused by name and place. A reference without a value gives nothing; one whose name the
/// template never sets is no reference, and stays the text that it is.
package struct VTLTemplate: Sendable {
    /// The longest template, in bytes: the service's quota.
    package static let bytesMax = 307_200
    /// The deepest nesting of directives, strings with references, brackets and arguments, and of lists and maps made on the way.
    package static let nestingMax = 32
    /// How many elements one `#foreach` goes through: the service's quota.
    package static let loopPassesMax = 1_000
    /// How many steps one rendering may take: pieces of the template carried out, and what of the request they look through.
    package static let stepsMax = 500_000
    /// How many bytes of text one rendering may make on the way.
    package static let workBytesMax = 16_777_216
    /// The longest result, in bytes.
    package static let resultBytesMax = 4_194_304
    /// How many steps the regular expressions of one rendering may take.
    package static let regexStepsMax = 2_000_000

    /// What a template asks the request for.
    package struct Needs: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The body as JSON.
        package static let json = Needs(rawValue: 1)
        package static let parameters = Needs(rawValue: 2)
        package static let context = Needs(rawValue: 4)
    }

    let program: VTLProgram

    /// - Parameters:
    ///   - text: the template.
    ///   - stageVariables: the names that there are; another one is refused.
    ///   - isOfResponse: Whether what it makes is a response, whose status and headers it may replace.
    /// - Throws: the first mistake, and everything that is not supported.
    package init(parsing text: String, stageVariables: Set<String> = [], isOfResponse: Bool = false) throws(VTLError) {
        var parser = VTLParser(text, stageVariables: stageVariables)
        parser.isOfResponse = isOfResponse
        program = try parser.template()
    }

    package var needs: Needs { program.needs }

    /// The text for one request.
    package func render(_ input: VTLInput) throws(VTLFailure) -> [UInt8] { try rendering(input).text }

    /// The text for one request, with what the template replaces of the response.
    package func rendering(_ input: VTLInput) throws(VTLFailure) -> (text: [UInt8], overrides: VTLOverrides) {
        var evaluation = VTLEvaluation(program, input)
        try evaluation.run()
        return (evaluation.output, evaluation.overrides)
    }
}

/// What a template sees of a request, or of a response.
package struct VTLInput: Sendable {
    /// `$input.body`; an empty one is `{}`, as in the service.
    package var body: [UInt8]
    /// The body read as JSON; wanted where ``VTLTemplate/Needs/json`` is.
    package var json: JSONView?
    /// `$input.params()`: an object of `path`, `querystring` and `header`, each an object of texts.
    package var parameters: JSONView?
    /// `$context`.
    package var context: JSONView?
    /// `$stageVariables`: an object of texts.
    package var stageVariables: JSONView?

    package init(body: [UInt8]) { self.body = body }
}
