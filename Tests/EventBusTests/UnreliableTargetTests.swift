import CremaTesting
import Testing

@testable import EventBus

/// Rules for a good target, one that fails now and then, a slow one and a dead one; and one that a template fails for.
private let template = """
    Resources:
      Login:
        Type: AWS::Events::Connection
        Properties:
          AuthorizationType: BASIC
          AuthParameters: { BasicAuthParameters: { Username: a, Password: b } }
    \(["Good", "Flaky", "Slow", "Dead"].map(destination).joined(separator: "\n"))
      R:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: { source: [shop] }
          Targets:
            - { Id: good, Arn: !GetAtt Good.Arn, InputPath: $.detail.n }
            - { Id: flaky, Arn: !GetAtt Flaky.Arn, InputPath: $.detail.n }
            - { Id: slow, Arn: !GetAtt Slow.Arn, InputPath: $.detail.n, RetryPolicy: { MaximumEventAgeInSeconds: 600 } }
            - { Id: dead, Arn: !GetAtt Dead.Arn, InputPath: $.detail.n, RetryPolicy: { MaximumRetryAttempts: 5 } }
            - Id: topic
              Arn: arn:aws:iot:us-east-1:000000000000:topic/t/<u>
              InputTransformer: { InputPathsMap: { u: $.detail.u }, InputTemplate: '"x"' }
    """

private func destination(_ name: String) -> String {
    """
      \(name):
        Type: AWS::Events::ApiDestination
        Properties:
          ConnectionArn: !GetAtt Login.Arn
          HttpMethod: POST
          InvocationEndpoint: 'https://\(name.lowercased()).example'
    """
}

/// A network under a test's clock: answers each call after a while, or not well.
private struct Network {
    var random: SeededRandom
    var underWay: [(at: Int64, call: ScriptedDoor.Call, outcome: HTTPOutcome)] = []
    var received: [String: [String]] = [:]

    mutating func take(_ calls: [ScriptedDoor.Call], at now: Int64) {
        for call in calls {
            let host = call.invocation.endpoint.host
            switch host {
            case "good.example": underWay.append((now + 5, call, .answered(status: 200)))
            case "flaky.example":
                let outcomes: [HTTPOutcome] = [
                    .answered(status: 500), .answered(status: 429, retryAfter: "1"), .failed(.unreachable("reset")),
                    .failed(.timedOut(seconds: 5)),
                ]
                let fails = random.happens(percent: 30)
                underWay.append((now + 10, call, fails ? outcomes[Int.random(in: 0..<4, using: &random)] : .answered(status: 200)))
            case "slow.example": underWay.append((now + 4_000, call, .answered(status: 200)))
            default: underWay.append((now + 5_000, call, .failed(.timedOut(seconds: 5))))
            }
        }
    }

    mutating func answer(until now: Int64) {
        let due = underWay.filter { $0.at <= now }
        underWay.removeAll { $0.at <= now }
        for (_, call, outcome) in due {
            if case .answered(200, _, _) = outcome { received[call.invocation.endpoint.host, default: []].append(call.body) }
            call.answer(outcome)
        }
    }
}

@Suite struct UnreliableTargetTests {
    @Test("Nothing is lost, and nobody waits for another", arguments: [11, 12, 13, 14] as [UInt64])
    func mixedRun(seed: UInt64) throws {
        var limits = DeliveryLimits()
        limits.pendingDeliveriesPerTargetMax = 100
        let site = try CallSite(template, limits: limits)
        var network = Network(random: SeededRandom(seed: seed))
        var random = SeededRandom(seed: seed ^ 0xFF)
        let events = 150
        var put = 0
        var step = 0
        while put < events || site.engine.counters.deliveriesPending > 0 {
            step += 1
            try #require(step < 2_000_000, "the run does not end")
            if put < events, step % 20 == 0 {
                let user = random.happens(percent: 10) ? "" : #","u":"ann""#
                try site.put(#"{"n":\#(put)\#(user)}"#)
                put += 1
                // The good target has its event at once, whatever the others do.
                let calls = site.door.take()
                #expect(calls.contains { $0.invocation.endpoint.host == "good.example" && $0.body == "\(put - 1)" })
                network.take(calls, at: site.world.source.nowMilliseconds())
            }
            site.wait(milliseconds: put < events ? 10 : 500)
            let now = site.world.source.nowMilliseconds()
            network.answer(until: now)
            network.take(site.door.take(), at: now)
            if step % 100 == 0 { #expect(site.isConserved) }
        }
        let counters = site.engine.counters
        #expect(site.isConserved && site.delivery.pending.count == 0)
        #expect(counters.deliveriesAccepted == UInt64(events * 5))
        #expect(network.received["good.example"] == (0..<events).map(String.init))
        // Tried often enough, everything arrives, once.
        #expect(Set(network.received["flaky.example"] ?? []).count == events && network.received["flaky.example"]?.count == events)
        #expect(network.received["dead.example"] == nil)
        let targets = Dictionary(grouping: site.engine.deadLetters(limit: 2_000)) { $0.target }.mapValues(\.count)
        #expect(targets["dead"] == events)
        #expect((network.received["slow.example"]?.count ?? 0) + (targets["slow"] ?? 0) == events)
        #expect(targets["good"] == nil && targets["flaky"] == nil)
    }
}
