import EventBus
import HTTPTypes
import HummingbirdTesting
import Rules
import Testing

@testable import Gateway

/// EventBridge's operations on connections, API destinations and policies, in the shapes of the service's model.
@Suite struct ConnectionCallTests {
    private static let login =
        #"{"Name":"login","AuthorizationType":"BASIC","AuthParameters":{"BasicAuthParameters":{"Username":"ann","Password":"s3cret"}}}"#

    @Test func aConnectionIsMadeDescribedAndDeletedWithoutASecretInAnyAnswer() async throws {
        let fixture = try GatewayFixture()
        let made = try await fixture.eventsText("CreateConnection", Self.login)
        #expect(made.contains(#""ConnectionState":"AUTHORIZED""#) && !made.contains("LastAuthorizedTime"))
        let described = try await fixture.eventsText("DescribeConnection", #"{"Name":"login"}"#)
        #expect(described.contains(#""AuthParameters":{"BasicAuthParameters":{"Username":"ann"}}"#))
        let update = #"{"Name":"login","AuthParameters":{"BasicAuthParameters":{"Password":"s3cret2"}}}"#
        let updated = try await fixture.eventsText("UpdateConnection", update)
        #expect(updated.contains("LastAuthorizedTime"))
        let listed = try await fixture.eventsText("ListConnections", #"{"ConnectionState":"AUTHORIZED","NamePrefix":"lo"}"#)
        #expect(listed.contains(#""Name":"login""#))
        let deauthorized = try await fixture.eventsText("DeauthorizeConnection", #"{"Name":"login"}"#)
        #expect(deauthorized.contains(#""ConnectionState":"DEAUTHORIZED""#))
        let deleted = try await fixture.eventsText("DeleteConnection", #"{"Name":"login"}"#)
        #expect(deleted.contains(#""ConnectionState":"DELETING""#))
        for text in [made, described, updated, listed, deauthorized, deleted] { #expect(!text.contains("s3cret")) }
        #expect(try await fixture.eventsText("ListConnections", "{}") == #"{"Connections":[]}"#)
    }

    @Test func anAPIDestinationIsMadeDescribedChangedAndDeleted() async throws {
        let fixture = try GatewayFixture()
        let connection = try #require(try await fixture.events("CreateConnection", Self.login)["ConnectionArn"]?.stringValue)
        let made = try await fixture.events(
            "CreateApiDestination",
            #"{"Name":"orders","ConnectionArn":"\#(connection)","InvocationEndpoint":"https://shop.example/x?a=1","HttpMethod":"POST"}"#)
        #expect(made["ApiDestinationState"]?.stringValue == "ACTIVE")
        _ = try await fixture.events(
            "UpdateApiDestination", #"{"Name":"orders","HttpMethod":"PUT","InvocationRateLimitPerSecond":5,"Description":"d"}"#)
        let described = try await fixture.events("DescribeApiDestination", #"{"Name":"orders"}"#)
        #expect(described["ApiDestinationArn"]?.stringValue == made["ApiDestinationArn"]?.stringValue)
        #expect(described["InvocationEndpoint"]?.stringValue == "https://shop.example/x?a=1")
        #expect(described["HttpMethod"]?.stringValue == "PUT")
        #expect(described["InvocationRateLimitPerSecond"]?.numberText == "5")
        #expect(described["Description"]?.stringValue == "d")
        let listed = try await fixture.events("ListApiDestinations", #"{"ConnectionArn":"\#(connection)","Limit":1}"#)
        #expect(listed["ApiDestinations"]?.elements.map { $0["Name"]?.stringValue } == ["orders"])
        #expect(try await fixture.eventsText("DeleteApiDestination", #"{"Name":"orders"}"#) == "{}")
        #expect(try await fixture.eventsText("ListApiDestinations", "{}") == #"{"ApiDestinations":[]}"#)
    }

    @Test func aPolicyIsToldAsText() async throws {
        let fixture = try GatewayFixture()
        _ = try await fixture.events("PutPermission", #"{"Action":"events:PutEvents","Principal":"*","StatementId":"s"}"#)
        let policy = try await fixture.events("DescribeEventBus", "{}")["Policy"]?.stringValue
        #expect(policy?.contains(#""Sid":"s""#) == true)
        _ = try await fixture.events("RemovePermission", #"{"StatementId":"s"}"#)
        #expect(try await fixture.events("DescribeEventBus", "{}")["Policy"] == nil)
    }

    @Test(
        "What the model does not allow",
        arguments: [
            ("CreateConnection", #"{"Name":"a b","AuthorizationType":"BASIC","AuthParameters":{}}"#, #"pattern: [\\.\\-_A-Za-z0-9]+"#),
            (
                "ListConnections", #"{"ConnectionState":"authorized"}"#,
                "Value 'authorized' at 'connectionState' failed to satisfy constraint: Member must satisfy enum value set: [CREATING, "
            ),
            ("ListApiDestinations", #"{"ConnectionArn":"login"}"#, "Value 'login' at 'connectionArn' failed to satisfy constraint"),
            ("CreateConnection", #"{"Name":"a","AuthParameters":{}}"#, "Value null at 'authorizationType'"),
            ("CreateConnection", #"{"Name":"a","AuthorizationType":"BASIC"}"#, "Value null at 'authParameters'"),
            (
                "CreateApiDestination", #"{"Name":"a","InvocationRateLimitPerSecond":0}"#,
                "Value '0' at 'invocationRateLimitPerSecond' failed to satisfy constraint: Member must have value greater than or equal to 1"
            ),
            (
                "PutPermission", #"{"Action":"events:PutRule","Principal":"*","StatementId":"s"}"#,
                "Provided value in parameter 'action' is not supported."
            ),
            ("PutPermission", #"{"Action":"events:","Principal":"*","StatementId":"s"}"#, "at 'action' failed to satisfy constraint"),
            ("PutPermission", #"{"Action":"events:PutEvents","Principal":"1","StatementId":"s"}"#, "at 'principal' failed"),
            ("PutPermission", #"{"Policy":"{}","Principal":"*"}"#, "Principal does not go with Policy"),
            ("RemovePermission", "{}", "Parameter StatementId is required."),
        ])
    func mistakes(operation: String, body: String, text: String) async throws {
        let fixture = try GatewayFixture()
        let response = try await fixture.call(operation, body: body)
        #expect(response.status == .badRequest)
        let answer = response.text
        #expect(answer.contains("ValidationException") && answer.contains(text), "\(answer)")
    }

    @Test func aBusWithoutAPolicyHasNoStatementToRemove() async throws {
        let fixture = try GatewayFixture()
        func answer() async throws -> String { try await fixture.call("RemovePermission", body: #"{"StatementId":"s"}"#).text }
        #expect(try await answer().contains("EventBus does not have a policy."))
        _ = try await fixture.events("PutPermission", #"{"Action":"events:PutEvents","Principal":"*","StatementId":"t"}"#)
        #expect(try await answer().contains("Statement with the provided id does not exist."))
    }
}
