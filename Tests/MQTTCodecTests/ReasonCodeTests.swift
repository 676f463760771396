import MQTTCodec
import NIOCore
import Testing

/// Reason codes: which packet may carry which (MQTT 5 table 2-6 and the table of each packet), and what MQTT 3.1.1 makes of them.
@Suite struct ReasonCodeTests {
    private enum Who {
        case both
        case client
        case server
    }

    /// The tables of sections 3.2.2.2, 3.4.2.1, 3.5.2.1, 3.6.2.1, 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1 and 3.15.2.1 as they are printed.
    ///
    /// 0x8C in DISCONNECT is from table 2-6, whose list of DISCONNECT has it.
    private static let tables: [PacketType: [(Who, [UInt8])]] = {
        let puback: [(Who, [UInt8])] = [(.both, [0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]), (.server, [0x10])]
        return [
            .connack: [
                (
                    .server,
                    [
                        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B,
                        0x9C, 0x9D, 0x9F,
                    ]
                )
            ],
            .puback: puback,
            .pubrec: puback,
            .pubrel: [(.both, [0x00, 0x92])],
            .pubcomp: [(.both, [0x00, 0x92])],
            .suback: [(.server, [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2])],
            .unsuback: [(.server, [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91])],
            .disconnect: [
                (.both, [0x00, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99]), (.client, [0x04]),
                (
                    .server,
                    [0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2]
                ),
            ],
            .auth: [(.both, [0x18]), (.server, [0x00]), (.client, [0x19])],
        ]
    }()

    @Test(
        "Every code in every packet from either side [MQTT5-3.2.2-8] [MQTT5-3.9.3-2] [MQTT5-3.11.3-2] [MQTT5-3.14.2-1] [MQTT5-3.15.2-1]",
        arguments: PacketType.allCases)
    func everyCodeInEveryPacket(type: PacketType) {
        for code in ReasonCode.allCases {
            for sender in Sender.allCases {
                let expected = (Self.tables[type] ?? []).contains { who, codes in
                    codes.contains(code.rawValue) && (who == .both || (who == .client) == (sender == .client))
                }
                #expect(code.isAllowed(in: type, from: sender) == expected, "\(code) in \(type) from \(sender)")
            }
        }
    }

    @Test func thereAreFortyThreeCodesWithNamesOfTheirOwn() {
        #expect(ReasonCode.allCases.count == 43)
        #expect(Set(ReasonCode.allCases.map(\.name)).count == 43)
        #expect(ReasonCode.keepAliveTimeout.name == "keep alive timeout" && ReasonCode.qosNotSupported.name == "QoS not supported")
        for code in ReasonCode.allCases { #expect(code.isError == (code.rawValue >= 0x80)) }
        #expect(ReasonCode.normalDisconnection == .success && ReasonCode.grantedQoS0 == .success)
        for qos in QoS.allCases { #expect(ReasonCode.granted(qos).grantedQoS == qos) }
        #expect(ReasonCode.unspecifiedError.grantedQoS == nil && ReasonCode.disconnectWithWillMessage.grantedQoS == nil)
    }

    // MARK: MQTT 3.1.1

    @Test func theFiveRefusalsOfMQTT311MapOneToOne() {
        let expected: [(UInt8, ReasonCode)] = [
            (0, .success), (1, ReasonCode(rawValue: 0x84)!), (2, ReasonCode(rawValue: 0x85)!), (3, ReasonCode(rawValue: 0x88)!),
            (4, ReasonCode(rawValue: 0x86)!), (5, ReasonCode(rawValue: 0x87)!),
        ]
        for (number, code) in expected {
            #expect(ReadResult([0x20, 2, 0, number]) == .packet(.connack(Connack(sessionPresent: false, reasonCode: code))))
            #expect(ConnectReturnCode(nearest: code).rawValue == number)
            #expect(ConnectReturnCode(rawValue: number)?.reasonCode == code)
        }
    }

    /// A code that MQTT 3.1.1 does not have is never written as one that says the opposite.
    @Test func otherCodesBecomeTheNearest() {
        for code in ReasonCode.allCases {
            #expect((ConnectReturnCode(nearest: code) == .accepted) == !code.isError, "\(code)")
        }
        #expect(ConnectReturnCode(nearest: .banned) == .notAuthorized && ConnectReturnCode(nearest: .serverBusy) == .serverUnavailable)
        var buffer = ByteBuffer()
        Suback(packetID: 1, reasonCodes: [.grantedQoS1, .notAuthorized, .quotaExceeded]).encode(into: &buffer, version: .v311)
        #expect(Array(buffer.readableBytesView) == [0x90, 5, 0, 1, 1, 0x80, 0x80])
        // MQTT 3.1 has no refusal at all: the least that can be said.
        var old = ByteBuffer()
        Suback(packetID: 1, reasonCodes: [.grantedQoS1, .notAuthorized, .quotaExceeded]).encode(into: &old, version: .v31)
        #expect(Array(old.readableBytesView) == [0x90, 5, 0, 1, 1, 0, 0])
        Connack(sessionPresent: true, reasonCode: .success).encode(into: &old, version: .v31)
        #expect(Array(old.readableBytesView.suffix(4)) == [0x20, 2, 0, 0])
    }

    @Test(arguments: [PacketType.puback, .pubrec, .pubrel, .pubcomp])
    func acknowledgementsInTheirShortestForm(type: PacketType) {
        var properties = Properties()
        properties.reasonString = "x"
        let first = type.rawValue << 4 | (type.requiredFlags ?? 0)
        let cases: [(Acknowledgement, ProtocolVersion, [UInt8])] = [
            (Acknowledgement(packetID: 0x0102), .v311, [first, 2, 1, 2]),
            (Acknowledgement(packetID: 0x0102), .v5, [first, 2, 1, 2]),
            (Acknowledgement(packetID: 0x0102, reasonCode: .packetIdentifierNotFound), .v311, [first, 2, 1, 2]),
            (Acknowledgement(packetID: 0x0102, reasonCode: .packetIdentifierNotFound), .v5, [first, 3, 1, 2, 0x92]),
            (Acknowledgement(packetID: 0x0102, properties: properties), .v311, [first, 2, 1, 2]),
            (Acknowledgement(packetID: 0x0102, properties: properties), .v5, [first, 8, 1, 2, 0, 4, 0x1F, 0, 1, 0x78]),
        ]
        for (packet, version, bytes) in cases {
            var buffer = ByteBuffer(bytes: [0xC0, 0])
            packet.encode(as: type, into: &buffer, version: version)
            #expect(Array(buffer.readableBytesView) == [0xC0, 0] + bytes)
            #expect(packet.encodedSize(version: version) == bytes.count)
        }
    }

    /// What a client of MQTT 5 is told about each error. [MQTT5-4.13.1-1]
    @Test func everyErrorHasAReasonThatDisconnectMayCarry() throws {
        for vector in CodecVector.all where vector.error != nil {
            guard case .failure(let error) = ReadResult(try vector.bytes, try vector.reading) else { continue }
            let isConnect: Bool
            switch error {
            case .wrongProtocolName, .unsupportedProtocolLevel: isConnect = true
            default: isConnect = false
            }
            #expect(error.reasonCode.isAllowed(in: isConnect ? .connack : .disconnect, from: .server), "\(vector.name)")
            #expect(error.isProtocolError == (error.reasonCode == .protocolError))
        }
        #expect(
            DecodeError.invalidQoS(.subscribe).reasonCode == .protocolError
                && DecodeError.invalidQoS(.publish).reasonCode == .malformedPacket)
        #expect(
            DecodeError.reservedFlags(.puback, 1).reasonCode == .malformedPacket
                && DecodeError.repeatedProperty(.topicAlias).isProtocolError)
        #expect(DecodeError.zeroTopicAlias.reasonCode == .topicAliasInvalid)
        #expect(DecodeError.packetTooLarge(bytes: 2, limit: 1).reasonCode == .packetTooLarge)
    }
}
