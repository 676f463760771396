import Testing

@testable import Rights

@Suite struct CallRightsTests {
    private typealias Fixture = PolicyFixture

    private func allows(_ statements: String..., action: String, on arn: String) throws -> Bool {
        let grants = try Fixture.book("[\(statements.joined(separator: ", "))]").grants(of: PolicySubject(clientID: "", principal: "p"))
        return grants.decide(try #require(PolicyAction(named: action)), arn: arn).isAllowed
    }

    private func statement(_ action: String, _ resource: String, effect: String = "Allow") -> String {
        "{\"Effect\": \"\(effect)\", \"Action\": \"\(action)\", \"Resource\": \"\(resource)\"}"
    }

    private let bus = "arn:aws:events:us-east-1:000000000000:event-bus/orders"

    @Test("Calls are allowed as policies name them, in any region and account, and nothing else is")
    func calls() throws {
        let put = statement("events:PutEvents", "arn:aws:events:eu-west-1:123456789012:event-bus/ord*")
        #expect(try allows(put, action: "events:PutEvents", on: bus))
        #expect(try allows(put, action: "events:putevents", on: bus))
        #expect(try !allows(put, action: "events:PutEvents", on: bus.replacing("orders", with: "other")))
        #expect(try !allows(put, action: "events:DeleteEventBus", on: bus))
        #expect(try !allows(put, action: "events:PutEvents", on: "arn:aws:sqs:us-east-1:000000000000:event-bus/orders"))
        let send = statement("sqs:Send*", "arn:aws:sqs:*:*:orders-?")
        #expect(try allows(send, action: "sqs:SendMessage", on: "arn:aws:sqs:us-east-1:000000000000:orders-1"))
        #expect(try !allows(send, action: "sqs:SendMessage", on: "arn:aws:sqs:us-east-1:000000000000:orders-10"))
        #expect(try !allows(send, action: "sqs:ReceiveMessage", on: "arn:aws:sqs:us-east-1:000000000000:orders-1"))
    }

    @Test("A resource of one service is none of another's, though the names are the same")
    func services() throws {
        let queue = statement("*", "arn:aws:sqs:us-east-1:000000000000:*")
        #expect(try !allows(queue, action: "events:PutEvents", on: bus))
        #expect(try allows(queue, action: "sqs:PurgeQueue", on: "arn:aws:sqs:us-east-1:000000000000:any"))
        let topics = try Fixture.book(queue).grants(of: PolicySubject(clientID: "c", principal: "p"))
        #expect(!topics.decide(.publish, "orders").isAllowed)
        #expect(!topics.decide(.connect, "c").isAllowed)
    }

    @Test("A denial wins over calls, too, and of a variable that stands for nothing no statement allows")
    func denials() throws {
        let all = statement("*", "*")
        #expect(try allows(all, action: "events:PutEvents", on: bus))
        #expect(try !allows(all, statement("events:*", bus, effect: "Deny"), action: "events:PutEvents", on: bus))
        #expect(try !allows(all, statement("*", "*", effect: "Deny"), action: "events:PutEvents", on: bus))
        let own = statement("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/${iot:ClientId}")
        #expect(try !allows(own, action: "events:PutEvents", on: "arn:aws:events:us-east-1:000000000000:event-bus/"))
        let named = statement("events:PutEvents", "arn:aws:events:us-east-1:000000000000:event-bus/${crema:Principal}")
        #expect(try allows(named, action: "events:PutEvents", on: "arn:aws:events:us-east-1:000000000000:event-bus/p"))
    }

    @Test("What is no ARN is nobody's", arguments: ["", "*", "event-bus/orders", "arn:aws:events:us-east-1", ":::::"])
    func noARNs(_ text: String) throws {
        #expect(try !allows(statement("events:*", "arn:aws:events:*:*:*"), action: "events:PutEvents", on: text))
    }

    @Test("A statement that could never apply is refused")
    func idle() {
        #expect(
            Fixture.problems("[\(statement("events:PutEvents", "arn:aws:events:r:a:rule/x"))]").contains("is asked for event-bus/… only"))
        #expect(Fixture.problems("[\(statement("sqs:SendMessage", "arn:aws:events:r:a:rule/x"))]").contains("resources of sqs only"))
        #expect(Fixture.problems("[\(statement("sqs:AddPermission", "arn:aws:sqs:r:a:x"))]").isEmpty)
        #expect(Fixture.problems("[\(statement("events:PutEvent", "*"))]").contains("did you mean `events:PutEvents`?"))
    }
}
