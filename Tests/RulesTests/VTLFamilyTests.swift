import Testing

@testable import Rules

/// Methods, functions and operators of mapping templates over families of values.
///
/// A row has what `$a`, `$b` and `$c` are, as JSON texts, and what the template gives for them. The answers were made by a second reading
/// of what Java and Velocity do, not by the code under test.
@Suite struct VTLFamilyTests {
    struct Family: CustomTestStringConvertible, Sendable {
        let view: JSONView
        var testDescription: String { "\(view["of"]?.stringValue ?? "?"): \(view["t"]?.stringValue ?? "?")" }
    }

    private static let names = ["a", "b", "c"]

    @Test(arguments: (Vectors.load("vtl-families.json") + Vectors.load("vtl-containers.json")).map(Family.init))
    func everyRowHasItsText(family: Family) async throws {
        let source = try #require(family.view["t"]?.stringValue)
        let assignments = Self.names.map { "#set($\($0) = $input.path('$.\($0)'))" }.joined()
        let template = try VTLTemplate(parsing: assignments + source)
        var count = 0
        for row in try #require(family.view["rows"]).elements {
            // Others wait for the thread, some with deadlines.
            if count % 50 == 0 { await Task.yield() }
            count += 1
            let texts = row.elements.compactMap(\.stringValue)
            let body = "{\(zip(Self.names, texts.dropLast()).map { "\"\($0)\":\($1)" }.joined(separator: ","))}"
            var input = VTLInput(body: Array(body.utf8))
            input.json = try json(body)
            let found = text(try template.render(input))
            // Texts are compared by their code points.
            #expect(found.utf8.elementsEqual((texts.last ?? "").utf8), "\(source) of \(body) is \(found), not \(texts.last ?? "")")
        }
        #expect(count > 0)
    }
}
