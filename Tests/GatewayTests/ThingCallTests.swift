import CremaTesting
import Documents
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Rights
import Rules
import Synchronization
import Testing
import Things
import Trust

@testable import Gateway

/// AWS IoT's calls on things, certificates and policies, as SDKs write them.
@Suite struct ThingCallTests {
    private static let arn = "arn:aws:iot:us-east-1:000000000000:"

    private func fixture(isEnforced: Bool = true, rightsChanged: @escaping @Sendable () async -> Void = {}) throws -> GatewayFixture {
        try GatewayFixture(
            things: ThingRegistry(policies: try PolicyBook(templates: [], attached: isEnforced ? [] : nil)), rightsChanged: rightsChanged)
    }

    private static func pem(_ name: String) throws -> String {
        let now: Int64 = 1_800_000_000
        let authority = try CertificateAuthority.create(validity: Validity(days: 9_999, from: now))
        let client = try authority.issueClient(name: ThingName(name), validity: Validity(days: 9_999, from: now)).certificate
        return String(decoding: try client.pem(), as: UTF8.self)
    }

    private static func json(_ members: [String: String]) -> String {
        String(decoding: AnswerDocument.texts(members).json, as: UTF8.self)
    }

    private static let policy =
        #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}"#

    @Test func aThingIsMadeChangedListedAndDeleted() async throws {
        let fixture = try fixture()
        let made = try await fixture.iot(.post, "/things/bar-1", #"{"attributePayload":{"attributes":{"floor":"1"}}}"#)
        #expect(made["thingArn"]?.stringValue == Self.arn + "thing/bar-1" && made["thingId"]?.stringValue?.count == 36)
        _ = try await fixture.iot(.post, "/things/bar-2", "")
        _ = try await fixture.iot(
            .patch, "/things/bar-2", #"{"attributePayload":{"attributes":{"floor":"2"},"merge":true},"expectedVersion":1}"#)
        let thing = try await fixture.iot(.get, "/things/bar-2", "")
        #expect(thing["version"]?.numberText == "2" && thing["attributes"]?["floor"]?.stringValue == "2")
        #expect(thing["defaultClientId"]?.stringValue == "bar-2")
        let first = try await fixture.iot(.get, "/things?maxResults=1", "")
        let token = try #require(first["nextToken"]?.stringValue)
        let second = try await fixture.iot(.get, "/things?maxResults=1&nextToken=\(token)", "")
        #expect([first, second].map { $0["things"]?[element: 0]?["thingName"]?.stringValue } == ["bar-1", "bar-2"])
        #expect(second["nextToken"] == nil)
        let found = try await fixture.iot(.get, "/things?attributeName=floor&attributeValue=2", "")
        #expect(found["things"]?.elements.map { $0["thingName"]?.stringValue } == ["bar-2"])
        _ = try await fixture.iot(.delete, "/things/bar-2?expectedVersion=2", "")
        #expect(try await fixture.iotCode(.get, "/things/bar-2") == "ResourceNotFoundException")
    }

    @Test func groupsAndTypesAreMadeChangedListedAndDeleted() async throws {
        let fixture = try fixture()
        let root = try await fixture.iot(.post, "/thing-groups/shop", "")
        #expect(root["thingGroupArn"]?.stringValue == Self.arn + "thinggroup/shop" && root["thingGroupId"]?.stringValue?.count == 36)
        for (name, parent) in [("floor", "shop"), ("desk", "floor"), ("show", "shop")] {
            _ = try await fixture.iot(.post, "/thing-groups/\(name)", #"{"parentGroupName":"\#(parent)"}"#)
        }
        func names(_ query: String, _ rows: String = "thingGroups") async throws -> [String?]? {
            try await fixture.iot(.get, query, "")[rows]?.elements.map { $0["groupName"]?.stringValue ?? $0.stringValue }
        }
        #expect(try await names("/thing-groups") == ["desk", "floor", "shop", "show"])
        #expect(try await names("/thing-groups?recursive=false") == ["shop"])
        #expect(try await names("/thing-groups?parentGroup=shop") == ["desk", "floor", "show"])
        #expect(try await names("/thing-groups?parentGroup=shop&recursive=false&namePrefixFilter=f") == ["floor"])
        _ = try await fixture.iot(.post, "/thing-types/kiosk", #"{"thingTypeProperties":{"thingTypeDescription":"d"}}"#)
        _ = try await fixture.iot(.post, "/things/bar-1", #"{"thingTypeName":"kiosk"}"#)
        let add = #"{"thingGroupArn":"\#(Self.arn)thinggroup/desk","thingName":"bar-1"}"#
        _ = try await fixture.iot(.put, "/thing-groups/addThingToThingGroup", add)
        #expect(try await names("/thing-groups/shop/things", "things") == [])
        #expect(try await names("/thing-groups/shop/things?recursive=true", "things") == ["bar-1"])
        #expect(try await names("/things/bar-1/thing-groups") == ["desk"])
        let desk = try await fixture.iot(.get, "/thing-groups/desk", "")["thingGroupMetadata"]
        #expect(desk?["rootToParentThingGroups"]?.elements.map { $0["groupName"]?.stringValue } == ["shop", "floor"])
        let type = try await fixture.iot(.get, "/thing-types/kiosk", "")
        #expect(type["thingTypeProperties"]?["thingTypeDescription"]?.stringValue == "d")
        #expect(type["thingTypeMetadata"]?["deprecated"]?.kind == .false)
        _ = try await fixture.iot(.post, "/thing-types/kiosk/deprecate", "")
        #expect(
            try await fixture.iot(.get, "/thing-types", "")["thingTypes"]?[element: 0]?["thingTypeMetadata"]?["deprecated"]?.kind == .true)
        #expect(try await fixture.iotCode(.delete, "/thing-groups/floor") == "InvalidRequestException")
        #expect(try await fixture.iotCode(.delete, "/thing-types/kiosk") == "InvalidRequestException")
    }

    @Test func policiesAndCertificates() async throws {
        let changes = Mutex(0)
        let fixture = try fixture(rightsChanged: { changes.withLock { $0 += 1 } })
        let created = try await fixture.iot(.post, "/policies/p%3Dq", Self.json(["policyDocument": Self.policy]))
        #expect(created["policyArn"]?.stringValue == Self.arn + "policy/p=q" && created["policyVersionId"]?.stringValue == "1")
        let registered = try await fixture.iot(
            .post, "/certificate/register-no-ca", Self.json(["certificatePem": try Self.pem("bar"), "status": "ACTIVE"]))
        let (id, target) = (try #require(registered["certificateId"]?.stringValue), try #require(registered["certificateArn"]?.stringValue))
        #expect(id.utf8.count == 64 && target == "\(Self.arn)cert/\(id)")
        _ = try await fixture.iot(.put, "/target-policies/p%3Dq", Self.json(["target": target]))
        for path in [target.replacing(":", with: "%3A").replacing("/", with: "%2F"), target] {
            let attached = try await fixture.iot(.post, "/attached-policies/\(path)", "")
            #expect(attached["policies"]?[element: 0]?["policyName"]?.stringValue == "p=q")
        }
        #expect(try await fixture.iot(.post, "/policy-targets/p%3Dq", "")["targets"]?[element: 0]?.stringValue == target)
        _ = try await fixture.iot(.post, "/things/bar", "")
        _ = try await fixture.iot(.put, "/things/bar/principals", "", principal: target)
        #expect(try await fixture.iot(.get, "/things/bar/principals", "")["principals"]?[element: 0]?.stringValue == target)
        #expect(try await fixture.iot(.get, "/principals/things", "", principal: target)["things"]?[element: 0]?.stringValue == "bar")
        // A policy, a certificate, and two attachments; a thing alone is nobody's right.
        #expect(changes.withLock { $0 } == 4)
        _ = try await fixture.iot(.put, "/certificates/\(id)?newStatus=REVOKED", "")
        #expect(changes.withLock { $0 } == 5)
        let described = try await fixture.iot(.get, "/certificates/0x\(id.uppercased())", "")["certificateDescription"]
        #expect(described?["status"]?.stringValue == "REVOKED")
        #expect(described?["certificatePem"]?.stringValue?.hasPrefix("-----BEGIN CERTIFICATE-----") == true)
        #expect(try await fixture.iot(.get, "/certificates", "")["certificates"]?[element: 0]?["certificateId"]?.stringValue == id)
        #expect(try await fixture.iotCode(.delete, "/certificates/\(id)") == "DeleteConflictException")
        #expect(try await fixture.iotCode(.delete, "/policies/p%3Dq") == "DeleteConflictException")
    }

    @Test(
        "Refusals have the service's codes and statuses",
        arguments: [
            (.get, "/things/none", "", "ResourceNotFoundException", .notFound),
            (.post, "/things/a%20b", "", "InvalidRequestException", .badRequest),
            (.post, "/things/t", #"{"thingTypeName":"x"}"#, "ResourceNotFoundException", .notFound),
            (.post, "/things/t", "[]", "InvalidRequestException", .badRequest),
            (.get, "/things?maxResults=251", "", "InvalidRequestException", .badRequest),
            (.get, "/things?nextToken=x", "", "InvalidRequestException", .badRequest),
            (.get, "/things?colour=red", "", "InvalidRequestException", .badRequest),
            (.patch, "/things/there", #"{"expectedVersion":7}"#, "VersionConflictException", .conflict),
            (.post, "/things/there", #"{"attributePayload":{"attributes":{"a":"1"}}}"#, "ResourceAlreadyExistsException", .conflict),
            (.post, "/policies/p", #"{"policyDocument":"{}"}"#, "MalformedPolicyException", .badRequest),
            (.get, "/policies/none", "", "ResourceNotFoundException", .notFound),
            (.put, "/target-policies/p", #"{"target":"arn:aws:iot:r:a:thinggroup/g"}"#, "ResourceNotFoundException", .notFound),
            (.put, "/target-policies/p", #"{"target":"arn:aws:iot:r:a:thing/g"}"#, "InvalidRequestException", .badRequest),
            (.post, "/thing-groups/a%20b", "", "InvalidRequestException", .badRequest),
            (.post, "/thing-groups/g", #"{"parentGroupName":"none"}"#, "ResourceNotFoundException", .notFound),
            (.post, "/thing-groups/g", #"{"tags":[{"Key":"k","Value":"v"}]}"#, "InvalidRequestException", .badRequest),
            (.get, "/thing-groups/none", "", "ResourceNotFoundException", .notFound),
            (.put, "/thing-groups/addThingToThingGroup", #"{"thingName":"there"}"#, "InvalidRequestException", .badRequest),
            (
                .put, "/thing-groups/addThingToThingGroup",
                #"{"thingName":"there","thingGroupName":"a","thingGroupArn":"arn:aws:iot:r:a:thinggroup/b"}"#, "InvalidRequestException",
                .badRequest
            ),
            (.put, "/thing-groups/updateThingGroupsForThing", "{}", "UnknownOperationException", .badRequest),
            (.post, "/thing-types/a%20b", "", "InvalidRequestException", .badRequest),
            (.get, "/thing-types/none", "", "ResourceNotFoundException", .notFound),
            (
                .patch, "/things/there", #"{"thingTypeName":"x","removeThingType":true}"#, "InvalidRequestException", .badRequest
            ),
            (.put, "/things/there/principals", "", "InvalidRequestException", .badRequest),
            (.post, "/certificate/register-no-ca", #"{"certificatePem":"x"}"#, "CertificateValidationException", .badRequest),
            (
                .post, "/certificate/register-no-ca", #"{"certificatePem":"x","status":"PENDING_TRANSFER"}"#, "InvalidRequestException",
                .badRequest
            ),
            (.put, "/certificates/ab?newStatus=REVOKED", "", "ResourceNotFoundException", .notFound),
            (.post, "/keys-and-certificate?setAsActive=true", "", "UnknownOperationException", .badRequest),
            (.post, "/dynamic-thing-groups/x", "", "UnknownOperationException", .badRequest),
        ] as [(HTTPRequest.Method, String, String, String, HTTPResponse.Status)])
    func refusals(method: HTTPRequest.Method, path: String, body: String, code: String, status: HTTPResponse.Status) async throws {
        let fixture = try fixture()
        _ = try await fixture.iot(.post, "/things/there", "")
        let response = try await fixture.iotResponse(method, path, body)
        #expect(response.headers[.init("x-amzn-ErrorType")!] == code, "\(response.text)")
        #expect(response.status == status)
    }

    @Test("What says whether a certificate's holder may do anything asks for the right to say so, whatever the call")
    func rightToTheStatus() async throws {
        let door = RecordingDoor(refusing: "x")
        let fixture = try GatewayFixture(authorizer: door)
        let id = String(repeating: "a", count: 64)
        _ = try await fixture.iotCode(.post, "/certificate/register-no-ca", Self.json(["certificatePem": "", "status": "ACTIVE"]))
        _ = try await fixture.iotCode(.post, "/certificate/register-no-ca", Self.json(["certificatePem": "", "status": "REVOKED"]))
        _ = try await fixture.iotCode(.post, "/certificate/register-no-ca", Self.json(["certificatePem": ""]))
        _ = try await fixture.iotCode(.delete, "/certificates/\(id)")
        let register = "- iot:RegisterCertificateWithoutCA arn:aws:iot:us-east-1:000000000000:*"
        let status = "- iot:UpdateCertificate \(Self.arn)cert/"
        #expect(
            door.asked == [
                register, register, status + "*", register, status + "*", "- iot:DeleteCertificate \(Self.arn)cert/\(id)", status + id,
            ])
    }

    @Test("Threat 64: a name that looks like another one, and a document that says something twice or nothing, are refused")
    func misleadingTexts() async throws {
        let fixture = try fixture()
        _ = try await fixture.iot(.post, "/policies/Keep", Self.json(["policyDocument": Self.policy]))
        #expect(try await fixture.iotCode(.delete, "/policies/%E2%84%AAeep") == "InvalidRequestException")
        for document in [
            Self.policy.replacing(#""Effect":"Allow""#, with: #""Effect":"Deny","Effect":"Allow""#),
            Self.policy.replacing(#""Resource":"*""#, with: #""Resource":"*","Condition":null"#),
        ] {
            #expect(try await fixture.iotCode(.post, "/policies/p", Self.json(["policyDocument": document])) == "MalformedPolicyException")
        }
    }

    @Test("Where no rights are asked for, nothing is taken that would need them")
    func withoutRights() async throws {
        let fixture = try fixture(isEnforced: false)
        #expect(try await fixture.iotCode(.post, "/policies/p", Self.json(["policyDocument": Self.policy])) == "InvalidRequestException")
        let pem = try Self.pem("bar")
        #expect(
            try await fixture.iotCode(.post, "/certificate/register-no-ca", Self.json(["certificatePem": pem])) == "InvalidRequestException"
        )
        let registered = try await fixture.iot(
            .post, "/certificate/register-no-ca", Self.json(["certificatePem": pem, "status": "ACTIVE"]))
        let id = try #require(registered["certificateId"]?.stringValue)
        #expect(try await fixture.iotCode(.put, "/certificates/\(id)?newStatus=INACTIVE") == "InvalidRequestException")
    }
}

extension GatewayFixture {
    fileprivate func iotResponse(
        _ method: HTTPRequest.Method, _ path: String, _ body: String = "", principal: String? = nil
    ) async throws -> TestResponse {
        var headers = HTTPFields()
        headers[.authorization] = "AWS4-HMAC-SHA256 Credential=any/20260102/us-east-1/iot/aws4_request, Signature=0"
        headers[.init("x-amzn-principal")!] = principal
        return try await send(method, path, headers: headers, body: body)
    }

    fileprivate func iot(
        _ method: HTTPRequest.Method, _ path: String, _ body: String, principal: String? = nil
    ) async throws -> JSONView {
        let response = try await iotResponse(method, path, body, principal: principal)
        #expect(response.status == .ok, "\(method) \(path): \(response.text)")
        let bytes = Array(response.body.readableBytesView)
        return try JSONDocument(parsing: bytes.isEmpty ? Array("{}".utf8) : bytes).root
    }

    fileprivate func iotCode(_ method: HTTPRequest.Method, _ path: String, _ body: String = "") async throws -> String? {
        try await iotResponse(method, path, body).headers[.init("x-amzn-ErrorType")!]
    }
}
