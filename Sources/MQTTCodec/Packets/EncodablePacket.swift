package import NIOCore

/// A packet that is its first byte, the length of its body, and its body.
package protocol EncodablePacket {
    /// Type and flags.
    var firstByte: UInt8 { get }
    /// Bytes of the body as `writeBody(into:version:)` writes it.
    func bodySize(version: ProtocolVersion) -> Int
    func writeBody(into buffer: inout ByteBuffer, version: ProtocolVersion)
}

extension EncodablePacket {
    /// Bytes of the whole packet: what a client's maximum packet size is compared with.
    package func encodedSize(version: ProtocolVersion) -> Int {
        let body = bodySize(version: version)
        return 1 + ByteBuffer.variableByteIntegerBytes(body) + body
    }

    /// Appends the packet.
    package func encode(into buffer: inout ByteBuffer, version: ProtocolVersion) {
        let size = bodySize(version: version)
        buffer.reserveCapacity(minimumWritableBytes: 5 + size)
        buffer.writeInteger(firstByte)
        buffer.writeVariableByteInteger(size)
        writeBody(into: &buffer, version: version)
    }
}
