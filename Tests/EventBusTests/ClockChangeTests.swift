import Testing

@testable import EventBus

/// Four targets' worth of reasons to wait: a pace, a wish of the target, a retry, and an age.
private let template = """
    Resources:
      Login:
        Type: AWS::Events::Connection
        Properties:
          AuthorizationType: BASIC
          AuthParameters: { BasicAuthParameters: { Username: a, Password: b } }
      Shop:
        Type: AWS::Events::ApiDestination
        Properties:
          ConnectionArn: !GetAtt Login.Arn
          HttpMethod: POST
          InvocationEndpoint: https://shop.example
          InvocationRateLimitPerSecond: 2
      R:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: { source: [shop] }
          Targets:
            - { Id: shop, Arn: !GetAtt Shop.Arn, RetryPolicy: { MaximumEventAgeInSeconds: 3600 } }
    """

@Suite("A clock that is set") struct ClockChangeTests {
    private static let day: Int64 = 86_400_000

    @Test("neither holds up a pace nor lets it go", arguments: [-day, -30_000, 30_000, day])
    func pace(change: Int64) throws {
        let site = try CallSite(template)
        for _ in 0..<3 { try site.put() }
        #expect(site.door.take().count == 1)
        site.world.setClock(by: change)
        site.delivery.pending.advance()
        #expect(site.door.take().isEmpty)
        site.wait(milliseconds: 500)
        #expect(site.door.take().count == 1)
        site.wait(milliseconds: 500)
        #expect(site.door.take().count == 1)
    }

    @Test("changes no retry and no wish of a target", arguments: [-day, -30_000, 30_000, day])
    func retry(change: Int64) throws {
        let site = try CallSite(template)
        try site.put()
        try #require(site.door.take().first).answer(.answered(status: 503, retryAfter: "20"))
        site.world.setClock(by: change)
        site.wait(milliseconds: 19_999)
        #expect(site.door.take().isEmpty)
        site.wait(milliseconds: 1)
        let second = try #require(site.door.take().first)
        second.answer(.failed(.unreachable("refused")))
        site.world.setClock(by: -change)
        // The second wait is two seconds at most.
        site.wait(milliseconds: 2_000)
        #expect(site.door.take().count == 1)
        #expect(site.isConserved)
    }

    @Test("makes no event older or younger", arguments: [-day, -30_000, 30_000, day])
    func age(change: Int64) throws {
        let site = try CallSite(template)
        try site.put()
        site.world.setClock(by: change)
        var tried = 0
        for _ in 0..<3_610 {
            for call in site.door.take() {
                tried += 1
                call.answer(.failed(.unreachable("refused")))
            }
            site.wait(milliseconds: 1_000)
            // Long before its time only the wait that is drawn last may end it.
            if tried < 10 { #expect(site.engine.counters.deliveriesFailed == 0) }
        }
        #expect(tried >= 10)
        #expect(site.engine.counters.deliveriesPending == 0)
        #expect(site.engine.deadLetters(limit: 1).first?.trying.exhaustion == .age)
        #expect(site.isConserved)
    }
}
