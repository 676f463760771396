import BrokerCore
import Documents
import Rules

/// An event as rules see it and targets get it.
struct EventEnvelope: Sendable {
    let id: String
    /// When it happened, since 1970.
    let timeMilliseconds: Int64
    /// Whether it comes from an archive.
    private(set) var isReplayed = false
    /// The step of a trace in which it came; `nil` for one that belongs to none.
    var trace: TraceParent?
    /// The whole event as compact JSON.
    ///
    /// The keys have the order that EventBridge gives them; numbers in the detail keep their spelling.
    private(set) var json: [UInt8]
    /// Where in the JSON the name of a replay goes: behind the region.
    let replayOffset: Int

    /// - Parameters:
    ///   - id: what PutEvents answered.
    ///   - source: who speaks.
    ///   - detailType: of what.
    ///   - timeMilliseconds: when it happened, since 1970.
    ///   - resources: ARNs, usually none.
    ///   - detail: compact JSON of an object.
    init(id: String, source: String, detailType: String, timeMilliseconds: Int64, resources: [String], detail: [UInt8]) {
        self.id = id
        self.timeMilliseconds = timeMilliseconds
        var json: [UInt8] = []
        json.reserveCapacity(detail.count + 256)
        json += #"{"version":"0","id":"#.utf8
        appendJSONString(id, to: &json)
        json += #","detail-type":"#.utf8
        appendJSONString(detailType, to: &json)
        json += #","source":"#.utf8
        appendJSONString(source, to: &json)
        json += #","account":"\#(TemplateScope.accountID)","time":"\#(timestamp(milliseconds: timeMilliseconds))""#.utf8
        json += #","region":"\#(TemplateScope.region)""#.utf8
        replayOffset = json.count
        json += #","resources":["#.utf8
        for (index, resource) in resources.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            appendJSONString(resource, to: &json)
        }
        json += #"],"detail":"#.utf8
        json += detail
        json.append(UInt8(ascii: "}"))
        self.json = json
    }

    /// An event that was kept; without `replayOffset` on its way to a target, where no replay puts it on a bus again.
    init(id: String, timeMilliseconds: Int64, json: [UInt8], replayOffset: Int? = nil) {
        self.id = id
        self.timeMilliseconds = timeMilliseconds
        self.json = json
        self.replayOffset = replayOffset ?? json.count
    }

    /// The JSON, taken apart.
    ///
    /// Its parts were checked, so that nil is a mistake of ours, which must not end the process with everybody's sessions.
    var parsed: JSONDocument? {
        // One level deeper than a detail may be, and longer than one by the fields around it.
        try? JSONDocument(parsing: json, limits: JSONLimits(bytesMax: json.count, depthMax: JSONLimits().depthMax + 1))
    }

    /// The event as a replay puts it on its bus: the same, with the replay's name.
    func replayed(as name: String) -> EventEnvelope {
        var envelope = self
        var field = Array(#","replay-name":"#.utf8)
        appendJSONString(name, to: &field)
        envelope.json.insert(contentsOf: field, at: replayOffset)
        envelope.isReplayed = true
        return envelope
    }
}
