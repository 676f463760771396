/// The same place in a trace as AWS X-Ray writes it: `Root=1-TIME-RANDOM;Parent=SPAN;Sampled=1`.
///
/// The root is the trace's identifier with its first 8 digits apart. Queues have it beside a message (`AWSTraceHeader`), and HTTP as
/// `X-Amzn-Trace-Id`.
extension TraceParent {
    /// Bytes that are looked at; a longer text is none.
    private static let xRayBytesMax = 1_024

    /// Reads the text; `nil` for one that names no trace and no span, or either not as X-Ray has them.
    ///
    /// What else is in it (`Self`, `Lineage`) means nothing here. Without `Sampled`, or with the question that `Sampled=?` is, nobody records it.
    package init?(xRay text: String) {
        guard text.utf8.count <= Self.xRayBytesMax else { return nil }
        var fields: [Substring: Substring] = [:]
        for part in text.split(separator: ";") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, fields.updateValue(pair[1], forKey: pair[0]) == nil else { return nil }
        }
        guard let root = fields["Root"]?.split(separator: "-", omittingEmptySubsequences: false), root.count == 3, root[0] == "1",
            root[1].utf8.count == 8, let parent = fields["Parent"]
        else { return nil }
        // The checks are those of W3C Trace Context.
        self.init("00-\(root[1])\(root[2])-\(parent)-\(fields["Sampled"] == "1" ? "01" : "00")".utf8)
    }

    package var xRayText: String { "Root=1-\(traceID.prefix(8))-\(traceID.dropFirst(8));Parent=\(spanID);Sampled=\(isSampled ? 1 : 0)" }
}
