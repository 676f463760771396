/// What MQTT takes for a topic's name or a filter, as expressions for the API's description.
enum TopicPatterns {
    /// Inside a class: control characters and code points that Unicode keeps for no character, which no text of MQTT may hold.
    private static let refused: String = {
        let planes = (UInt32(0)...16).flatMap { plane in [plane << 16 | 0xFFFE, plane << 16 | 0xFFFF] }
        let last = planes.compactMap { Unicode.Scalar($0) }.map { String(Character($0)) }.joined()
        return #"\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef"# + last
    }()

    /// A topic's name.
    static let name = "^[^+#\(refused)]+$"
    /// The name of a topic that is not the broker's own.
    static let ordinaryName = "^[^$+#\(refused)][^+#\(refused)]*$"
    /// A topic filter that is not empty, and not of a shared subscription.
    static let filter = "^(?!\\$share/)" + subscription.dropFirst()
    /// A topic filter that is not empty, and not of the broker's own topics.
    static let ordinaryFilter = "^(?!\\$)" + subscription.dropFirst()
    /// A topic filter that is not empty: `+` alone in its level, `#` alone in the last.
    static let subscription: String = {
        let level = "[^/+#\(refused)]"
        // Not empty as a whole: the first level has a character, or another level follows.
        return "^(#|(\\+|\(level)+)(/(\\+|\(level)*))*(/#)?|(/(\\+|\(level)*))+(/#)?|/#)$"
    }()
}
