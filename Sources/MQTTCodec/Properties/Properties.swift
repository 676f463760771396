package import NIOCore

/// The properties of one packet or will, in their order (MQTT 5 section 2.2.2).
///
/// They are kept as they stand on the wire, so that reading and writing a block is one slice and one copy however many there are. Every
/// accessor walks over the block. Equal means the same bytes. What was decoded shares the packet's storage; see ``stored()``.
package struct Properties: Equatable, Sendable {
    /// `nil` rather than empty, so that packets without properties cost nothing.
    private var block: ByteBuffer?

    package init() {}

    package init(_ properties: [Property]) {
        self.init()
        for property in properties { append(property) }
    }

    /// What ``forwarded`` or a packet's layout gave of a message.
    package init(forwarded block: ByteBuffer) {
        self.block = block.readableBytes == 0 ? nil : block
    }

    /// The properties one after another, without the length in front: always well-formed.
    package var encoded: ByteBuffer { block ?? ByteBuffer() }

    package var isEmpty: Bool { block == nil }

    /// Bytes of the block as it is written, with its length in front.
    package var encodedSize: Int {
        guard let block else { return 1 }
        return ByteBuffer.variableByteIntegerBytes(block.readableBytes) + block.readableBytes
    }

    /// Checks a block, without its length.
    ///
    /// Each byte is looked at once. At most `limits.userPropertiesMax` user properties; the caller has checked `propertyBytesMax`.
    init(decoding block: ByteBuffer, of place: PropertyPlace, sender: Sender, limits: DecodingLimits) throws(DecodeError) {
        let bytes = block.readableBytesUInt8Span
        var scanner = PropertyScanner(0..<bytes.count, of: place.packetType)
        var check = PropertyCheck(place, sender: sender, limits: limits)
        while let field = try scanner.next(in: bytes) { try check.take(field, in: bytes) }
        self.block = bytes.isEmpty ? nil : block
    }

    /// The block of a PUBLISH, which its layout has checked.
    init?(checkedBy layout: PublishLayout, in packet: ByteBuffer) {
        self.init()
        guard let range = layout.propertyRange else { return }
        block = packet.getSlice(at: packet.readerIndex + range.lowerBound, length: range.count)
        if block == nil { return nil }
    }

    /// The properties in storage of their own, for whoever keeps them: a slice would keep the whole packet's alive.
    package func stored() -> Properties {
        var copy = Properties()
        copy.block = block.map { ByteBuffer(bytes: $0.readableBytesView) }
        return copy
    }

    // MARK: One by one

    /// Every property, in order.
    package var all: [Property] {
        var list: [Property] = []
        forEachField { list.append(property(of: $0)) }
        return list
    }

    /// Appends a property; the caller keeps to the rules of the packet that it is for.
    ///
    /// - Precondition: the value has the type of the identifier, and texts and bytes are no longer than 65,535 bytes.
    package mutating func append(_ property: Property) {
        if block == nil { block = ByteBuffer() }
        block?.writeProperty(property.identifier, property.value)
    }

    /// Removes every property of this kind.
    package mutating func remove(_ identifier: PropertyIdentifier) {
        removeAll { $0 == identifier }
    }

    /// Removes what is there for people only: reason string and user properties.
    ///
    /// What must not be sent where the packet would become larger than its receiver takes, or where the client asked for no problem
    /// information [MQTT5-3.1.2-29].
    package mutating func removeProblemInformation() {
        removeAll { $0 == .reasonString || $0 == .userProperty }
    }

    private mutating func removeAll(where isUnwanted: (PropertyIdentifier) -> Bool) {
        var rest = ByteBuffer()
        forEachField { field in
            if !isUnwanted(field.identifier), let slice = slice(field.start..<field.end) { rest.writeImmutableBuffer(slice) }
        }
        // A block that stays whole is not replaced by its copy.
        if rest.readableBytes < encoded.readableBytes { block = rest.readableBytes == 0 ? nil : rest }
    }

    // MARK: Walking

    func forEachField(_ body: (PropertyField) -> Void) {
        guard let block else { return }
        let bytes = block.readableBytesUInt8Span
        var scanner = PropertyScanner(0..<bytes.count, of: .publish)
        while let field = try? scanner.next(in: bytes) { body(field) }
    }

    func firstField(_ identifier: PropertyIdentifier) -> PropertyField? {
        guard let block else { return nil }
        let bytes = block.readableBytesUInt8Span
        var scanner = PropertyScanner(0..<bytes.count, of: .publish)
        while let field = try? scanner.next(in: bytes) {
            if field.identifier == identifier { return field }
        }
        return nil
    }

    func text(_ range: Range<Int>) -> String {
        encoded.getString(at: encoded.readerIndex + range.lowerBound, length: range.count) ?? ""
    }

    func slice(_ range: Range<Int>) -> ByteBuffer? {
        encoded.getSlice(at: encoded.readerIndex + range.lowerBound, length: range.count)
    }

    private func property(of field: PropertyField) -> Property {
        let value: PropertyValue =
            switch field.identifier.type {
            case .byte: .byte(UInt8(truncatingIfNeeded: field.number))
            case .twoByteInteger: .twoByteInteger(UInt16(truncatingIfNeeded: field.number))
            case .fourByteInteger: .fourByteInteger(field.number)
            case .variableByteInteger: .variableByteInteger(field.number)
            case .text: .text(text(field.value))
            case .binary: .binary(slice(field.value) ?? ByteBuffer())
            case .textPair: .textPair(text(field.name), text(field.value))
            }
        return Property(field.identifier, value)
    }
}
