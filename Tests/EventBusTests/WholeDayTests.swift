import Queues
import Testing

@testable import EventBus

private let template = """
    Resources:
      Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
      Login:
        Type: AWS::Events::Connection
        Properties:
          AuthorizationType: BASIC
          AuthParameters: { BasicAuthParameters: { Username: a, Password: b } }
      Shop:
        Type: AWS::Events::ApiDestination
        Properties: { ConnectionArn: !GetAtt Login.Arn, HttpMethod: POST, InvocationEndpoint: 'https://shop.example' }
      Other:
        Type: AWS::Events::ApiDestination
        Properties: { ConnectionArn: !GetAtt Login.Arn, HttpMethod: POST, InvocationEndpoint: 'https://other.example' }
      R:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: { source: [shop] }
          Targets:
            - { Id: shop, Arn: !GetAtt Shop.Arn, DeadLetterConfig: { Arn: !GetAtt Dead.Arn } }
            - { Id: other, Arn: !GetAtt Other.Arn }
    """

@Suite("A day with a dead target") struct WholeDayTests {
    /// Without a `RetryPolicy`: 185 retries or 24 hours, whichever comes first, and then the target's dead-letter queue.
    @Test(arguments: [HTTPOutcome.failed(.unreachable("refused")), .answered(status: 503), .failed(.timedOut(seconds: 5))])
    func theServicesPolicy(outcome: HTTPOutcome) throws {
        let site = try CallSite(template)
        try site.put(#"{"n":1}"#)
        var tried: [Int64] = []
        var other = 0
        var minutes: Int64 = 0
        let start = site.world.source.steadyMilliseconds()
        while site.engine.counters.deliveriesPending > 0, minutes < 3_000 {
            // The other target has each event at once.
            if minutes % 60 == 0, minutes < 300 { try site.put(#"{"n":2}"#) }
            for _ in 0..<6 {
                for call in site.door.take() {
                    if call.invocation.endpoint.host == "other.example" {
                        other += 1
                        call.answer(.answered(status: 200))
                    } else {
                        if call.body.contains(#""n":1"#) { tried.append(site.world.source.steadyMilliseconds() - start) }
                        call.answer(outcome)
                    }
                }
                site.wait(milliseconds: 10_000)
            }
            minutes += 1
            #expect(site.isConserved)
        }
        let letters = site.engine.deadLetters(limit: 100)
        let first = try #require(letters.first { String(decoding: $0.event, as: UTF8.self).contains(#""n":1"#) })
        #expect(tried.count == first.trying.retries + 1)
        #expect(try #require(tried.last) < 86_400_000)
        switch try #require(first.trying.exhaustion) {
        case .attempts: #expect(tried.count == 186)
        // The last wait that was drawn would have gone beyond the day.
        case .age: #expect(tried.count < 186 && tried.last ?? 0 > 86_400_000 - 910_000)
        }
        // Never longer apart than the longest wait, and the seconds until it is looked at.
        for (earlier, later) in zip(tried, tried.dropFirst()) { #expect(later - earlier <= 910_000) }
        #expect(other == 6)
        let counters = site.engine.counters
        #expect(counters.deliveriesAccepted == 12 && counters.deliveries == 6 && counters.deliveriesFailed == 6)
        #expect(counters.deadLettersSent == 6 && site.isConserved)
        let message = try #require(try site.take("dead").first)
        #expect(message.attributes["EXHAUSTED_RETRY_CONDITION"] != nil)
    }
}
