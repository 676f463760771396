import NIOCore

extension ByteBuffer {
    /// A text with its two-byte length in front.
    ///
    /// - Precondition: at most 65,535 bytes; what came off the wire always fits, what the program makes is checked where it is made.
    mutating func writeMQTTText(_ text: String) {
        precondition(text.utf8.count <= 65_535, "an MQTT text has at most 65,535 bytes")
        writeInteger(UInt16(text.utf8.count))
        writeString(text)
    }

    /// Bytes with their two-byte length in front.
    ///
    /// - Precondition: at most 65,535 bytes.
    mutating func writeMQTTBinary(_ bytes: ByteBuffer) {
        precondition(bytes.readableBytes <= 65_535, "an MQTT binary field has at most 65,535 bytes")
        writeInteger(UInt16(bytes.readableBytes))
        writeImmutableBuffer(bytes)
    }

    /// A property block with its length in front; a block without properties is a length of 0 [MQTT5-2.2.2-1].
    mutating func writeProperties(_ properties: Properties) {
        if properties.isEmpty {
            writeInteger(UInt8(0))
        } else {
            let block = properties.encoded
            writeVariableByteInteger(block.readableBytes)
            writeImmutableBuffer(block)
        }
    }
}
