import EventBus
import Rules

/// What PutEvents answers with status 200: one result per entry, in their order.
struct PutEventsAnswer {
    let results: [PutEventsResult]

    var failedEntryCount: Int {
        results.count {
            if case .failed = $0 { true } else { false }
        }
    }

    var json: [UInt8] {
        var output = Array(#"{"FailedEntryCount":\#(failedEntryCount),"Entries":["#.utf8)
        for (index, result) in results.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            switch result {
            case .accepted(let eventID):
                output.append(contentsOf: JSONText.object(["EventId": eventID]))
            case .failed(let code, let message):
                output.append(contentsOf: JSONText.object(["ErrorCode": code, "ErrorMessage": message]))
            }
        }
        output.append(contentsOf: "]}".utf8)
        return output
    }
}
