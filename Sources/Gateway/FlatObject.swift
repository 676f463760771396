import Rules

extension JSONText {
    /// An object whose members are all strings, in the order given: the form of every error and of every entry's result.
    static func object(_ members: KeyValuePairs<String, String>) -> [UInt8] {
        var output: [UInt8] = [UInt8(ascii: "{")]
        for (key, value) in members {
            if output.count > 1 { output.append(UInt8(ascii: ",")) }
            appendString(key.utf8, to: &output)
            output.append(UInt8(ascii: ":"))
            appendString(value.utf8, to: &output)
        }
        output.append(UInt8(ascii: "}"))
        return output
    }
}
