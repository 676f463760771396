package import NIOCore

/// One property: what it is, and its value.
package struct Property: Equatable, Sendable {
    package var identifier: PropertyIdentifier
    package var value: PropertyValue

    package init(_ identifier: PropertyIdentifier, _ value: PropertyValue) {
        self.identifier = identifier
        self.value = value
    }
}

/// The value of a property, in the data type that its identifier has.
package enum PropertyValue: Equatable, Sendable {
    case byte(UInt8)
    case twoByteInteger(UInt16)
    case fourByteInteger(UInt32)
    /// At most 268,435,455.
    case variableByteInteger(UInt32)
    case text(String)
    case binary(ByteBuffer)
    case textPair(String, String)

    package var type: PropertyType {
        switch self {
        case .byte: .byte
        case .twoByteInteger: .twoByteInteger
        case .fourByteInteger: .fourByteInteger
        case .variableByteInteger: .variableByteInteger
        case .text: .text
        case .binary: .binary
        case .textPair: .textPair
        }
    }
}

/// A name and a value that mean something to the applications only; both may repeat, and their order counts.
package struct UserProperty: Equatable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What a payload is (MQTT 5 section 3.3.2.3.2).
package enum PayloadFormatIndicator: UInt8, Sendable, CaseIterable {
    /// Bytes of any kind; the same as no indicator.
    case unspecified = 0
    /// Text in UTF-8.
    case utf8 = 1
}

extension ByteBuffer {
    /// Appends a property as it stands in a block.
    ///
    /// - Precondition: the value has the type of the identifier, and texts and bytes are no longer than 65,535 bytes.
    mutating func writeProperty(_ identifier: PropertyIdentifier, _ value: PropertyValue) {
        precondition(identifier.type == value.type, "a value of another type than \(identifier.name) has")
        writeInteger(identifier.rawValue)
        switch value {
        case .byte(let number): writeInteger(number)
        case .twoByteInteger(let number): writeInteger(number)
        case .fourByteInteger(let number): writeInteger(number)
        case .variableByteInteger(let number): writeVariableByteInteger(Int(number))
        case .text(let text): writeMQTTText(text)
        case .binary(let bytes): writeMQTTBinary(bytes)
        case .textPair(let name, let value):
            writeMQTTText(name)
            writeMQTTText(value)
        }
    }
}
