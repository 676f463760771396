import FuzzDriver
import Rules

/// What holds for every mapping template and every body.
struct MappingProperties {
    private let template: String
    private let body: [UInt8]

    /// An input is a template, NUL, and a body.
    init(input: [UInt8]) {
        let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        template = String(decoding: parts.first ?? [], as: UTF8.self)
        body = parts.count > 1 ? Array(parts[1]) : Array(#"{"a":{"b":[1,"x",null]},"t":"it's","n":1.50}"#.utf8)
    }

    func check() {
        let compiled: VTLTemplate
        do throws(VTLError) {
            compiled = try VTLTemplate(parsing: template, stageVariables: ["bus"], isOfResponse: true)
        } catch {
            require(error.line > 0 && error.column > 0 && !error.message.isEmpty, "an error without a place or words")
            return
        }
        let input = self.input()
        guard let result = result(of: compiled, input) else { return }
        require(result.count <= VTLTemplate.resultBytesMax, "a result past its limit")
        require(String(validating: result, as: UTF8.self) != nil, "a result that is no text")
        // What has neither a reference nor a directive is text.
        if !template.utf8.contains(where: { $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "#") }) {
            require(result == Array(template.utf8), "text that did not stay as it is")
        }
        // A second look at the same request finds the same.
        if template.utf8.count < 128 { require(self.result(of: compiled, input) == result, "two results of one request") }
    }

    private func input() -> VTLInput {
        var input = VTLInput(body: Array(String(decoding: body, as: UTF8.self).utf8))
        input.json = try? JSONDocument(parsing: body).root
        let parameters = #"{"path":{"id":"42"},"querystring":{"q":"a b"},"header":{"X-Shop":"nyc"}}"#
        input.parameters = try? JSONDocument(parsing: Array(parameters.utf8)).root
        input.context = try? JSONDocument(parsing: Array(#"{"requestId":"r","identity":{"sourceIp":"127.0.0.1"}}"#.utf8)).root
        input.stageVariables = try? JSONDocument(parsing: Array(#"{"bus":"shop"}"#.utf8)).root
        return input
    }

    private func result(of compiled: VTLTemplate, _ input: VTLInput) -> [UInt8]? {
        do throws(VTLFailure) {
            return try compiled.render(input)
        } catch {
            require(!error.description.isEmpty, "a failure without words")
            return nil
        }
    }
}
