/// The tags of a queue: names and values for those who keep order among queues.
package enum QueueTags {
    /// Tags of one queue; a request that would make it more is refused.
    static let countMax = 50
    /// Characters of a tag's key, of which there must be one.
    static let keyCharactersMax = 128
    /// In which the service's own tags begin, in upper or lower case.
    private static let reservedPrefix = "aws:"
    /// Characters of a tag's value.
    static let valueCharactersMax = 256

    /// - Throws: for tags that a queue cannot have all together, in the service's words.
    package static func check(_ tags: [String: String], of queue: String) throws(QueueError) {
        for (key, value) in tags.sorted(by: { $0.key < $1.key }) {
            guard (1...keyCharactersMax).contains(key.unicodeScalars.count) else {
                throw QueueError(
                    .invalidParameterValue, "Tag keys must be between 1 and \(keyCharactersMax) characters in length.")
            }
            guard !key.lowercased().hasPrefix(reservedPrefix) else {
                throw QueueError(.invalidParameterValue, "Tag keys that begin with \(reservedPrefix) are reserved, as \(key) is.")
            }
            guard value.unicodeScalars.count <= valueCharactersMax else {
                throw QueueError(
                    .invalidParameterValue, "Tag values must be between 0 and \(valueCharactersMax) characters in length.")
            }
        }
        guard tags.count <= countMax else {
            throw QueueError(.invalidParameterValue, "Too many tags added for queue \(queue); it may have \(countMax).")
        }
    }
}
