/// A scalar in a form that is equal exactly where an exact match of the service is.
struct ValueKey: Hashable, Sendable {
    enum Kind: UInt8, Sendable { case string, address, number, numberSpelling, `true`, `false`, null }

    let kind: Kind
    let content: ByteKey

    private init(_ kind: Kind, _ content: ArraySlice<UInt8> = []) {
        self.kind = kind
        self.content = ByteKey(content)
    }

    init(string: ArraySlice<UInt8>) {
        if let address = AddressKey.bytes(string) {
            self.init(.address, address)
        } else {
            self.init(.string, string)
        }
    }

    /// Nil for objects and arrays.
    init?(_ value: JSONView) {
        switch value.kind {
        case .object, .array: return nil
        case .true: self.init(.true)
        case .false: self.init(.false)
        case .null: self.init(.null)
        case .string: self.init(string: value.tape.string(value.index))
        case .number:
            let text = value.tape.spelling(value.index)
            if let number = NumberKey.canonical(text) {
                self.init(.number, number)
            } else {
                self.init(.numberSpelling, text)
            }
        }
    }

    /// The same key on a buffer of its own, to be kept longer than the document it was read from.
    var detached: ValueKey {
        ValueKey(kind, ArraySlice(Array(content.bytes)))
    }
}
