/// How much one packet may hold, beside its size: what is more is refused before it is looked at.
package struct DecodingLimits: Equatable, Sendable {
    /// Topic filters of one SUBSCRIBE or UNSUBSCRIBE.
    package var filtersMax: Int
    /// User properties of one property block.
    package var userPropertiesMax: Int
    /// Bytes of one property block, without the length in front of it.
    package var propertyBytesMax: Int

    package init(filtersMax: Int = .max, userPropertiesMax: Int = 64, propertyBytesMax: Int = 16_384) {
        self.filtersMax = filtersMax
        self.userPropertiesMax = userPropertiesMax
        self.propertyBytesMax = propertyBytesMax
    }
}

/// What decoding depends on beside the bytes.
struct DecodingContext {
    var version: ProtocolVersion
    var sender: Sender
    var limits: DecodingLimits
}
