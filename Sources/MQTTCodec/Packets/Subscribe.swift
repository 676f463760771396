package import NIOCore

/// SUBSCRIBE (MQTT 3.1.1 and MQTT 5 section 3.8).
package struct Subscribe: Equatable, Sendable {
    /// One topic filter, and what is wanted of it.
    package struct Request: Equatable, Sendable {
        package var filter: String
        package var qos: QoS
        /// Not the subscriber's own messages; MQTT 5 only.
        package var noLocal: Bool
        /// RETAIN as the publisher set it, instead of 0; MQTT 5 only.
        package var retainAsPublished: Bool
        /// MQTT 5 only.
        package var retainHandling: RetainHandling

        package init(
            filter: String, qos: QoS, noLocal: Bool = false, retainAsPublished: Bool = false,
            retainHandling: RetainHandling = .sendAtSubscribe
        ) {
            self.filter = filter
            self.qos = qos
            self.noLocal = noLocal
            self.retainAsPublished = retainAsPublished
            self.retainHandling = retainHandling
        }
    }

    package var packetID: UInt16
    package var requests: [Request]
    /// MQTT 5 only.
    package var properties: Properties

    package init(packetID: UInt16, requests: [Request], properties: Properties = Properties()) {
        self.packetID = packetID
        self.requests = requests
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .subscribe)
        packetID = try fields.packetIdentifier()
        properties = try fields.properties(of: .subscribe, context)
        requests = []
        while !fields.isAtEnd {
            if requests.count == context.limits.filtersMax { throw .tooManyTopicFilters(limit: context.limits.filtersMax) }
            let filter = try fields.topicFilter()  // [MQTT-3.8.3-1] [MQTT5-3.8.3-1]
            let options = try fields.byte()
            switch context.version {
            case .v31:  // the upper six bits "are not used" (V3.1 section 3.8)
                guard let qos = QoS(rawValue: options & 0b11) else { throw .invalidQoS(.subscribe) }
                requests.append(Request(filter: filter, qos: qos))
            case .v311:
                guard let qos = QoS(rawValue: options) else { throw .invalidQoS(.subscribe) }  // [MQTT-3.8.3-4]
                requests.append(Request(filter: filter, qos: qos))
            case .v5: requests.append(try Request(filter: filter, options: options))
            }
        }
        if requests.isEmpty { throw .noTopicFilter(.subscribe) }  // [MQTT-3.8.3-3] [MQTT5-3.8.3-2]
    }
}

extension Subscribe: EncodablePacket {
    package var firstByte: UInt8 { PacketType.subscribe.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        requests.reduce(2 + (version != .v5 ? 0 : properties.encodedSize)) { $0 + 3 + $1.filter.utf8.count }
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        buffer.writeInteger(packetID)
        if version == .v5 { buffer.writeProperties(properties) }
        for request in requests {
            buffer.writeMQTTText(request.filter)
            buffer.writeInteger(version != .v5 ? request.qos.rawValue : request.options)
        }
    }
}

/// When a subscription gets the retained messages that it matches (MQTT 5 section 3.8.3.1).
package enum RetainHandling: UInt8, Sendable, CaseIterable {
    case sendAtSubscribe = 0
    /// Only if the subscription did not exist before.
    case sendIfNew = 1
    case doNotSend = 2
}

extension Subscribe.Request {
    private struct Options {
        static let noLocal: UInt8 = 0x04
        static let retainAsPublished: UInt8 = 0x08
        static let reserved: UInt8 = 0xC0
    }

    init(filter: String, options: UInt8) throws(DecodeError) {
        if options & Options.reserved != 0 { throw .reservedSubscriptionOptions(options) }  // [MQTT5-3.8.3-5]
        guard let qos = QoS(rawValue: options & 0b11) else { throw .invalidQoS(.subscribe) }
        guard let retainHandling = RetainHandling(rawValue: options >> 4 & 0b11) else { throw .invalidRetainHandling }
        let noLocal = options & Options.noLocal != 0
        if try SharedFilter(parsing: filter) != nil, noLocal { throw .noLocalOnSharedSubscription }  // [MQTT5-3.8.3-4]
        self.init(
            filter: filter, qos: qos, noLocal: noLocal, retainAsPublished: options & Options.retainAsPublished != 0,
            retainHandling: retainHandling)
    }

    /// The subscription options of MQTT 5.
    var options: UInt8 {
        var options = qos.rawValue | retainHandling.rawValue << 4
        if noLocal { options |= Options.noLocal }
        if retainAsPublished { options |= Options.retainAsPublished }
        return options
    }
}
