import Foundation
import Testing

@testable import Documents

@Suite struct TemplateDocumentTests {
    private func template(_ text: String, _ parameters: [String: String] = [:]) throws(DocumentError) -> TemplateDocument {
        try TemplateDocument(file: "t.yaml", text: text, parameters: parameters)
    }

    private func message(_ text: String, _ parameters: [String: String] = [:]) -> String {
        do {
            _ = try template(text, parameters)
            return "no error"
        } catch {
            return error.description
        }
    }

    /// The value of one property of a rule, written in the template's own functions.
    private func value(_ yaml: String, _ parameters: [String: String] = [:], extra: String = "") throws -> String {
        let text = """
            Parameters:
              Bus: {Type: String, Default: orders}
              Count: {Type: Number, Default: 5}
              Names: {Type: CommaDelimitedList, Default: 'a, b'}
              Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /path}
            Resources:
              R: {Type: 'AWS::Events::Rule', Properties: {V: \(yaml)}}
              B: {Type: 'AWS::Events::EventBus', Properties: {Name: !Ref Bus}}
              Named: {Type: 'AWS::Events::Rule', Properties: {Name: n, EventBusName: !Ref B}}
              Role: {Type: 'AWS::IAM::Role'}
              T: {Type: 'AWS::IoT::TopicRule'}
            """
        let property = try template(text, parameters).resources[0].properties["V"]
        return String(decoding: try #require(property).json("V"), as: UTF8.self)
    }

    @Test(
        "Intrinsic functions are resolved, short and long",
        arguments: [
            ("!Ref Bus", #""orders""#), ("{Ref: Bus}", #""orders""#), ("!Ref Count", "5"), ("!Ref Names", #"["a","b"]"#),
            ("!Ref B", #""orders""#), ("!Ref Role", #""Role""#), ("!Ref Named", #""n""#), ("!Ref 'AWS::Region'", #""us-east-1""#),
            ("!Sub 'x-${Bus}-${!Keep}-${AWS::AccountId}'", #""x-orders-${Keep}-000000000000""#),
            ("{'Fn::Sub': ['${A}/${B.Arn}', {A: {Ref: Count}}]}", #""5/arn:aws:events:us-east-1:000000000000:event-bus/orders""#),
            ("!GetAtt B.Arn", #""arn:aws:events:us-east-1:000000000000:event-bus/orders""#),
            ("!GetAtt [Named, Arn]", #""arn:aws:events:us-east-1:000000000000:rule/orders/n""#),
            ("!GetAtt R.Arn", #""arn:aws:events:us-east-1:000000000000:rule/R""#),
            ("!GetAtt T.Arn", #""arn:aws:iot:us-east-1:000000000000:rule/T""#),
            ("!GetAtt Role.Arn", #""arn:aws:iam:us-east-1:000000000000:Role""#),
            ("!Join ['-', [a, !Ref Bus, 3]]", #""a-orders-3""#), ("!Join [',', !Ref Names]", #""a,b""#),
            ("[1, !Ref 'AWS::NoValue', 2]", "[1,2]"), ("{a: !Ref 'AWS::NoValue', b: {c: [!Ref Bus]}}", #"{"b":{"c":["orders"]}}"#),
        ]
    )
    func intrinsics(yaml: String, expected: String) throws {
        #expect(try value(yaml) == expected)
    }

    @Test(
        "What cannot be resolved is refused where it is needed, by name and place",
        arguments: [
            ("!If [A, b, c]", "t.yaml:7:50: V: the intrinsic function Fn::If is not supported"),
            ("{'Fn::ImportValue': x}", "t.yaml:7:50: V: the intrinsic function Fn::ImportValue is not supported"),
            (
                "!Ref Buss",
                "t.yaml:7:50: V: `Buss` is neither a parameter nor a resource of this template; "
                    + "give it a value under `parameters`; did you mean `Bus`?"
            ),
            (
                "!Ref Stored",
                "t.yaml:7:50: V: the parameter `Stored` is of type AWS::SSM::Parameter::Value<String>, which Crema cannot look up; "
                    + "give it a value under `parameters`"
            ),
            ("!Sub 'a${'", "t.yaml:7:50: V: Fn::Sub: `${` without `}`"),
            ("!GetAtt Role.RoleId", "t.yaml:7:50: V: Fn::GetAtt of `Role.RoleId`: Crema does not know this attribute of AWS::IAM::Role"),
            ("'{{resolve:ssm:x}}'", "t.yaml:7:50: V: dynamic references (`{{resolve:ssm:x}}`) are not supported"),
        ]
    )
    func unresolved(yaml: String, expected: String) {
        #expect(throws: (any Error).self) { try value(yaml) }
        do {
            _ = try value(yaml)
        } catch {
            #expect("\(error)" == expected)
        }
    }

    @Test func anUnresolvedValueThatNobodyNeedsIsFine() throws {
        let document = try template("Resources:\n  R: {Type: 'AWS::Events::Rule', Properties: {RoleArn: !If [a, b, c], Name: x}}\n")
        #expect(try document.resources[0].properties["Name"]?.text("Name") == "x")
    }

    @Test func theConfigurationsParametersComeBeforeDefaults() throws {
        #expect(try value("!Ref Bus", ["Bus": "mine"]) == #""mine""#)
        #expect(try value("!Ref B", ["Bus": "mine"]) == #""mine""#)
        #expect(try value("!Ref Elsewhere", ["Elsewhere": "there"]) == #""there""#)
        #expect(try value("!Ref Stored", ["Stored": "there"]) == #""there""#)
    }

    @Test func aValueOutsideAllowedValuesIsRefused() {
        let text = "Parameters:\n  Stage: {Type: String, AllowedValues: [dev, prod], Default: dev}\nResources: {}\n"
        #expect(message(text) == "no error")
        #expect(message(text, ["Stage": "x"]) == "t.yaml:2:3: the parameter Stage is `x`, but AllowedValues has dev, prod")
    }

    @Test func unknownResourceTypesAreListedAndNothingElse() throws {
        let document = try template(
            """
            AWSTemplateFormatVersion: 2010-09-09
            Transform: AWS::Serverless-2016-10-31
            Globals: {Function: {Runtime: nodejs}}
            Conditions: {IsProd: !Equals [a, b]}
            Mappings: {}
            Outputs: {X: {Value: !GetAtt Function.Arn}}
            Resources:
              Function:
                Type: AWS::Serverless::Function
                Condition: IsProd
                Properties: {Environment: !If [IsProd, a, b]}
              Bus: {Type: 'AWS::Events::EventBus', Properties: {Name: b}, DependsOn: Function}
            """
        )
        #expect(document.resources.map(\.logicalID) == ["Bus"])
        let place = SourceLocation(file: "t.yaml", line: 8, column: 3)
        #expect(document.unknownResources == [.init(logicalID: "Function", type: "AWS::Serverless::Function", location: place)])
    }

    @Test func everyMistakeIsNamedAtOnce() {
        let text = """
            Resource: {}
            Transform: [AWS::Serverless-2016-10-31, Mine]
            Resources:
              A: {Type: 'AWS::Events::EventBus', Condition: IsProd}
              B: {Properties: {}}
              C: {Type: 'AWS::Events::Rule', Propertys: {}}
              Fn::ForEach::X: []
            """
        #expect(
            message(text) == """
                t.yaml:1:1: the template has no key `Resource`; did you mean `Resources`?
                t.yaml:2:41: the macro `Mine` cannot be run: Transform takes AWS's own transforms only
                t.yaml:4:38: Condition on AWS::Events::EventBus `A` is not supported
                t.yaml:5:6: the resource B lacks `Type`
                t.yaml:6:34: the resource C has no key `Propertys`; did you mean `Properties`?
                t.yaml:7:3: Fn::ForEach::X under Resources is not supported
                """
        )
    }

    @Test func aTemplateInJSONIsReadTheSameWay() throws {
        let document = try TemplateDocument(
            file: "t.json",
            text: #"{"Resources": {"B": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Fn::Sub": "${AWS::StackName}-bus"}}}}}"#,
            parameters: [:]
        )
        #expect(try document.resources.first?.properties["Name"]?.text("Name") == "crema-bus")
    }
}
