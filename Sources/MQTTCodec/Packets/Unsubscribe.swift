package import NIOCore

/// UNSUBSCRIBE (MQTT 3.1.1 and MQTT 5 section 3.10).
package struct Unsubscribe: Equatable, Sendable {
    package var packetID: UInt16
    package var filters: [String]
    /// MQTT 5 only.
    package var properties: Properties

    package init(packetID: UInt16, filters: [String], properties: Properties = Properties()) {
        self.packetID = packetID
        self.filters = filters
        self.properties = properties
    }

    init(decoding body: ByteBuffer, _ context: DecodingContext) throws(DecodeError) {
        var fields = FieldReader(body, of: .unsubscribe)
        packetID = try fields.packetIdentifier()
        properties = try fields.properties(of: .unsubscribe, context)
        filters = []
        while !fields.isAtEnd {
            if filters.count == context.limits.filtersMax { throw .tooManyTopicFilters(limit: context.limits.filtersMax) }
            let filter = try fields.topicFilter()  // [MQTT-3.10.3-1] [MQTT5-3.10.3-1]
            if context.version == .v5 { _ = try SharedFilter(parsing: filter) }
            filters.append(filter)
        }
        if filters.isEmpty { throw .noTopicFilter(.unsubscribe) }  // [MQTT-3.10.3-2] [MQTT5-3.10.3-2]
    }
}

extension Unsubscribe: EncodablePacket {
    package var firstByte: UInt8 { PacketType.unsubscribe.firstByte }

    package func bodySize(version: ProtocolVersion) -> Int {
        filters.reduce(2 + (version != .v5 ? 0 : properties.encodedSize)) { $0 + 2 + $1.utf8.count }
    }

    package func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        buffer.writeInteger(packetID)
        if version == .v5 { buffer.writeProperties(properties) }
        for filter in filters { buffer.writeMQTTText(filter) }
    }
}
