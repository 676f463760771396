/// The resources that a broker needs for mode `rules`: an event bus, a topic rule that makes events of what devices publish, and one rule
/// for each user that makes a status of the user's events.
package enum RulesTemplate {
    /// The bus, and the source of its events.
    package static let busName = "bench"
    package static let detailType = "Order"
    /// The most users of one template.
    package static let usersMax = 1_000_000

    static func orderTopic(ofUser user: Int) -> String { "bench-orders/\(user)" }
    static func statusTopic(ofUser user: Int) -> String { "bench-status/\(user)" }

    /// The template, a CloudFormation document in YAML, piece by piece: with many users it is large.
    package static func write(users: Int, to output: (String) -> Void) {
        output(
            """
            # What `crema bench rules --users \(users)` needs: `resources: [this file]` in the broker's configuration, and for many users
            # `limits: { rulesPerBusMax: \(max(users, 300)) }`. Written by `crema bench rules --print-resources \(users)`.
            Resources:
              Bus: { Type: AWS::Events::EventBus, Properties: { Name: \(busName) } }
              Orders:
                Type: AWS::IoT::TopicRule
                Properties:
                  TopicRulePayload:
                    AwsIotSqlVersion: '2016-03-23'
                    Sql: SELECT * FROM 'bench-orders/+'
                    Actions: [{ events: { busName: \(busName), detailType: \(detailType), source: \(busName) } }]

            """)
        for user in 0..<users {
            output(
                """
                  User\(user):
                    Type: AWS::Events::Rule
                    Properties:
                      EventBusName: !Ref Bus
                      EventPattern: { source: [\(busName)], detail-type: [\(detailType)], detail: { user: ['\(user)'] } }
                      Targets:
                        - Id: status
                          Arn: !Sub arn:aws:iot:${AWS::Region}:${AWS::AccountId}:topic/\(statusTopic(ofUser: user))
                          MqttParameters: { Qos: 1, Retain: false }
                          InputTransformer:
                            InputPathsMap: { stamp: $.detail.stamp, filler: $.detail.filler }
                            InputTemplate: '{"type": "status", "stamp": <stamp>, "filler": <filler>}'

                """)
        }
    }
}
