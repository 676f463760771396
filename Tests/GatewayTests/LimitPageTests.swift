import CremaTesting
import EventBus
import Foundation
import Gateway
import Rules
import Testing
import Things
import Trust

/// The page of limits says what the listeners for programs and the event bus keep to.
@Suite struct LimitPageTests {
    private func page() throws -> LimitPage { LimitPage(text: try String(contentsOfFile: LimitPage.path, encoding: .utf8)) }

    @Test("Every limit of an http listener stands on the page once, with its default, and can be configured")
    func gateway() throws {
        #expect(try page().differences(of: .gateway, from: GatewayLimits(), GatewayLimits.names) == [])
    }

    @Test("Every limit of signatures stands on the page once, with its default, and can be configured")
    func signatures() throws {
        #expect(try page().differences(of: .signatures, from: SignatureLimits(), SignatureLimits.names) == [])
    }

    @Test("What a template and a model may cost stands on the page")
    func templates() throws {
        let lines = try String(contentsOfFile: LimitPage.path, encoding: .utf8).split(separator: "\n")
        for (name, value) in [
            ("templateBytesMax", VTLTemplate.bytesMax), ("templateNestingMax", VTLTemplate.nestingMax),
            ("templateStepsMax", VTLTemplate.stepsMax),
            ("templateLoopPassesMax", VTLTemplate.loopPassesMax), ("templateWorkBytesMax", VTLTemplate.workBytesMax),
            ("templateRegexStepsMax", VTLTemplate.regexStepsMax), ("templateResultBytesMax", VTLTemplate.resultBytesMax),
            ("templateHeadersMax", VTLOverrides.headersMax), ("modelPatternStepsMax", TextPattern.stepsMax),
            ("modelStepsMax", JSONSchema.stepsMax), ("modelNestingMax", JSONSchema.nestingMax),
        ] {
            let row = try #require(lines.first { $0.hasPrefix("| `\(name)` |") }, "\(name)")
            #expect(row.split(separator: "|")[1].filter(\.isNumber) == "\(value)", "\(name)")
        }
    }

    @Test("Every limit of the event bus stands on the page once, with its default, and can be configured")
    func eventBus() throws {
        #expect(try page().differences(of: .eventBus, from: EventBusLimits(), EventBusLimits.names) == [])
    }

    @Test("Every limit of what is registered stands on the page once, with its default, and can be configured")
    func things() throws {
        #expect(try page().differences(of: .things, from: ThingLimits(), ThingLimits.names) == [])
    }

    @Test("Every limit of deliveries that wait stands on the page once, with its default, and can be configured")
    func deliveries() throws {
        #expect(try page().differences(of: .deliveries, from: DeliveryLimits(), DeliveryLimits.names) == [])
    }
}
