import Documents
import Rules

/// An event as rules see it and targets get it.
struct EventEnvelope {
    let id: String
    /// The whole event as compact JSON.
    ///
    /// The keys have the order that EventBridge gives them; numbers in the detail keep their spelling.
    let json: [UInt8]

    /// - Parameters:
    ///   - id: what PutEvents answered.
    ///   - source: who speaks.
    ///   - detailType: of what.
    ///   - timeMilliseconds: when it happened, since 1970.
    ///   - resources: ARNs, usually none.
    ///   - detail: compact JSON of an object.
    init(id: String, source: String, detailType: String, timeMilliseconds: Int64, resources: [String], detail: [UInt8]) {
        self.id = id
        var json: [UInt8] = []
        json.reserveCapacity(detail.count + 256)
        json += #"{"version":"0","id":"#.utf8
        appendJSONString(id, to: &json)
        json += #","detail-type":"#.utf8
        appendJSONString(detailType, to: &json)
        json += #","source":"#.utf8
        appendJSONString(source, to: &json)
        json += #","account":"\#(TemplateScope.accountID)","time":"\#(timestamp(milliseconds: timeMilliseconds))""#.utf8
        json += #","region":"\#(TemplateScope.region)","resources":["#.utf8
        for (index, resource) in resources.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            appendJSONString(resource, to: &json)
        }
        json += #"],"detail":"#.utf8
        json += detail
        json.append(UInt8(ascii: "}"))
        self.json = json
    }
}
