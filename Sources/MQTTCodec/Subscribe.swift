import NIOCore

/// SUBSCRIBE (MQTT 3.1.1 section 3.8).
package struct Subscribe: Equatable, Sendable {
    package struct Request: Equatable, Sendable {
        package var filter: String
        package var qos: QoS

        package init(filter: String, qos: QoS) {
            self.filter = filter
            self.qos = qos
        }
    }

    package var packetID: UInt16
    package var requests: [Request]

    package init(packetID: UInt16, requests: [Request]) {
        self.packetID = packetID
        self.requests = requests
    }

    init(decoding body: ByteBuffer, filtersMax: Int) throws(DecodeError) {
        var fields = FieldReader(body, of: .subscribe)
        packetID = try fields.packetIdentifier()
        requests = []
        while !fields.isAtEnd {
            if requests.count == filtersMax { throw .tooManyTopicFilters(limit: filtersMax) }
            let filter = try fields.topicFilter()
            guard let qos = QoS(rawValue: try fields.byte()) else { throw .invalidQoS(.subscribe) }  // [MQTT-3.8.3-4]
            requests.append(Request(filter: filter, qos: qos))
        }
        if requests.isEmpty { throw .noTopicFilter(.subscribe) }  // [MQTT-3.8.3-3]
    }

    func encode(into buffer: inout ByteBuffer) {
        var body = ByteBuffer()
        body.writeInteger(packetID)
        for request in requests {
            body.writeMQTTText(request.filter)
            body.writeInteger(request.qos.rawValue)
        }
        buffer.writeInteger(PacketType.subscribe.rawValue << 4 | 0b0010)
        buffer.writeRemainingLength(body.readableBytes)
        buffer.writeBuffer(&body)
    }
}

/// UNSUBSCRIBE (MQTT 3.1.1 section 3.10).
package struct Unsubscribe: Equatable, Sendable {
    package var packetID: UInt16
    package var filters: [String]

    package init(packetID: UInt16, filters: [String]) {
        self.packetID = packetID
        self.filters = filters
    }

    init(decoding body: ByteBuffer, filtersMax: Int) throws(DecodeError) {
        var fields = FieldReader(body, of: .unsubscribe)
        packetID = try fields.packetIdentifier()
        filters = []
        while !fields.isAtEnd {
            if filters.count == filtersMax { throw .tooManyTopicFilters(limit: filtersMax) }
            filters.append(try fields.topicFilter())  // [MQTT-3.10.3-1]
        }
        if filters.isEmpty { throw .noTopicFilter(.unsubscribe) }  // [MQTT-3.10.3-2]
    }

    func encode(into buffer: inout ByteBuffer) {
        var body = ByteBuffer()
        body.writeInteger(packetID)
        for filter in filters { body.writeMQTTText(filter) }
        buffer.writeInteger(PacketType.unsubscribe.rawValue << 4 | 0b0010)
        buffer.writeRemainingLength(body.readableBytes)
        buffer.writeBuffer(&body)
    }
}

/// One entry of SUBACK (MQTT 3.1.1 section 3.9.3).
package enum SubscribeReturnCode: Equatable, Sendable {
    case granted(QoS)
    case failure

    package var rawValue: UInt8 {
        switch self {
        case .granted(let qos): qos.rawValue
        case .failure: 0x80
        }
    }

    package init?(rawValue: UInt8) {
        if rawValue == 0x80 {
            self = .failure
        } else if let qos = QoS(rawValue: rawValue) {
            self = .granted(qos)
        } else {
            return nil
        }
    }
}

/// SUBACK (MQTT 3.1.1 section 3.9).
package struct Suback: Equatable, Sendable {
    package var packetID: UInt16
    package var returnCodes: [SubscribeReturnCode]

    package init(packetID: UInt16, returnCodes: [SubscribeReturnCode]) {
        self.packetID = packetID
        self.returnCodes = returnCodes
    }

    init(decoding body: ByteBuffer) throws(DecodeError) {
        var fields = FieldReader(body, of: .suback)
        packetID = try fields.packetIdentifier()
        returnCodes = []
        while !fields.isAtEnd {
            guard let code = SubscribeReturnCode(rawValue: try fields.byte()) else { throw .invalidReturnCode(.suback) }  // [MQTT-3.9.3-2]
            returnCodes.append(code)
        }
        if returnCodes.isEmpty { throw .truncated(.suback) }  // [MQTT-3.8.4-5]: one for each filter, and there is at least one
    }
}
