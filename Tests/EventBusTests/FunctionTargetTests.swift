import Documents
import Queues
import Testing

@testable import EventBus

private let rules = """
    Resources:
      Make: { Type: AWS::Lambda::Function, Properties: { FunctionName: make } }
      Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /aws/events/shop } }
      R:
        Type: AWS::Events::Rule
        Properties:
          EventPattern: { source: [shop] }
          Targets:
            - { Id: make, Arn: !GetAtt Make.Arn, InputPath: $.detail, RetryPolicy: { MaximumRetryAttempts: 0 } }
            - { Id: old, Arn: 'arn:aws:lambda:us-east-1:000000000000:function:make:7', RetryPolicy: { MaximumRetryAttempts: 0 } }
            - { Id: log, Arn: !GetAtt Group.Arn, InputPath: $.detail }
    """

@Suite struct FunctionTargetTests {
    @Test("A runtime emulator has one function and one path, which the endpoint may name whole")
    func allFunctionsAreCalledAtAnEndpointThatNamesOne() throws {
        let path = "http://127.0.0.1:9000/2015-03-31/functions/function/invocations"
        let site = try CallSite(rules, lambda: path)
        try site.put("{}")
        let first = try #require(site.door.take().first)
        #expect(first.invocation.url == path)
        first.answer(.answered(status: 202))
        #expect(try #require(site.door.take().first).invocation.url == "\(path)?Qualifier=7")
    }

    @Test func aFunctionIsCalledWhereTheConfigurationSays() throws {
        let site = try CallSite(rules, lambda: "http://127.0.0.1:9000/")
        try site.put(#"{"n":1}"#)
        let first = try #require(site.door.take().first)
        #expect(first.invocation.url == "http://127.0.0.1:9000/2015-03-31/functions/make/invocations")
        #expect(first.invocation.isTrusted && first.invocation.method == "POST")
        #expect(first.header["x-amz-invocation-type"] == "Event")
        #expect(first.body == #"{"n":1}"#)
        // It is one function: an emulator would refuse the second call as long as the first is under way.
        #expect(site.door.take().isEmpty)
        first.answer(.answered(status: 202))
        let second = try #require(site.door.take().first)
        #expect(second.invocation.url == "http://127.0.0.1:9000/2015-03-31/functions/make/invocations?Qualifier=7")
        second.answer(.answered(status: 200, functionError: "Unhandled"))
        #expect(site.engine.counters.deliveries == 2)
        let letter = try #require(site.engine.deadLetters(limit: 9).first)
        #expect((letter.target, letter.errorCode) == ("old", "FUNCTION_ERROR"))
        #expect(
            site.log.all.contains {
                $0.hasPrefix("rule log") && $0.contains("logGroup=/aws/events/shop") && $0.contains(#"payload={"n":1}"#)
            })
        #expect(site.isConserved)
    }

    @Test func withoutAnEndpointAFunctionIsRefusedByItsName() {
        let error = #expect(throws: DocumentError.self) { _ = try CallSite.resources(rules) }
        #expect(error?.problems.count == 2)
        #expect(error?.message.contains("the function make cannot be called: the configuration lacks `lambda: {") == true)
        #expect(throws: DocumentError.self) { _ = try CallSite.resources(rules, lambda: "localhost") }
    }
}

@Suite struct CallActionTests {
    private static func rule(_ actions: String, error: String = "ErrorAction: { Republish: { RoleArn: r, Topic: failures } }") -> String {
        """
        Resources:
          T:
            Type: AWS::IoT::TopicRule
            Properties:
              TopicRulePayload:
                AwsIotSqlVersion: "2016-03-23"
                Sql: SELECT * FROM 'in/#'
                Actions: [\(actions)]
                \(error)
        """
    }

    @Test func whatTheStatementSelectsIsPosted() throws {
        let site = try CallSite(
            Self.rule("{Http: {Url: 'https://shop.example/${topic(2)}?k=${n}', Headers: [{Key: X-Device, Value: '${clientid()}'}]}}"))
        #expect(site.publish("in/nyc", #"{"n": 1}"#) == [])
        let call = try #require(site.door.take().first)
        #expect((call.invocation.method, call.invocation.url) == ("POST", "https://shop.example/nyc?k=1"))
        #expect((call.header["x-device"], call.body) == ("device", #"{"n":1}"#))
        call.answer(.answered(status: 200))
        #expect(site.engine.ruleStatistics().first?.delivered == 1)
        #expect(site.isConserved)
    }

    @Test func theErrorActionHearsOfACallThatFailed() throws {
        let site = try CallSite(Self.rule("{http: {url: 'https://shop.example/x?key=s3cret'}}"))
        _ = site.publish("in/a", #"{"n": 1}"#)
        try #require(site.door.take().first).answer(.answered(status: 400))
        #expect(site.published.topics == ["failures"])
        let document = try #require(site.published.payloads.first)
        #expect(document.contains(#""failedAction":"HttpAction","failedResource":"https://shop.example/x","#))
        #expect(document.contains(#""errorMessage":"shop.example: HTTP status 400""#))
        #expect(!document.contains("s3cret"))
        #expect(site.isConserved)
    }

    @Test func aFunctionIsCalledByATopicRule() throws {
        let site = try CallSite(
            Self.rule("{Lambda: {FunctionArn: 'arn:aws:lambda:us-east-1:0:function:f'}}"), lambda: "http://localhost:9000")
        _ = site.publish("in/a", #"{"n": 1}"#)
        let call = try #require(site.door.take().first)
        #expect(call.invocation.url == "http://localhost:9000/2015-03-31/functions/f/invocations")
        for _ in 0..<4 {
            (site.door.take().first ?? call).answer(.failed(.unreachable("refused")))
            site.wait(milliseconds: 9_000)
        }
        #expect(site.published.payloads.first?.contains("LambdaAction") == true)
        #expect(site.engine.counters.deliveriesRetried == 3)
    }

    @Test func aTopicCannotSendACallElsewhere() throws {
        let site = try CallSite(Self.rule("{Http: {Url: 'https://${topic(2)}/'}}"))
        _ = site.publish("in/0x7f.1", "{}")
        #expect(site.door.take().isEmpty)
        #expect(site.engine.deadLetters(limit: 1).map(\.errorCode) == ["INVALID_URL"])
    }

    @Test(arguments: [
        ("{Http: {Url: 'https://a.example', ConfirmationUrl: 'https://a.example'}}", "ConfirmationUrl is not supported"),
        ("{http: {url: 'https://a.example', auth: {sigv4: {}}}}", "Auth is not supported"),
        ("{Http: {Url: 'https://10.0.0.1'}}", "private"),
        ("{Http: {Url: 'https://a.example', Headers: [{Key: Host, Value: b}]}}", "cannot be set"),
        ("{Lambda: {FunctionArn: 'arn:aws:lambda:r:0:function:f'}}", "the function f cannot be called"),
        ("{Lambda: {FunctionArn: f}}", "not the ARN"),
    ])
    func refused(action: String, reason: String) {
        let error = #expect(throws: DocumentError.self) { _ = try CallSite.resources(Self.rule(action)) }
        #expect(error?.message.contains(reason) == true, "\(error.map(String.init(describing:)) ?? "")")
    }
}
