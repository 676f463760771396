import HTTPListening
import HTTPTypes
import Hummingbird
import NIOCore

/// One call of the admin API: where it is, what it takes, what it answers, and who does it.
///
/// The dispatch, the refusals of what a call does not know and the API's own description (``OpenAPIDocument``) are all made from this.
struct AdminCall: Sendable {
    typealias Action = @Sendable (InspectionResponder, AdminRequest) async throws(InspectionError) -> Response

    let method: HTTPRequest.Method
    /// Below `/api/v1/`; `{name}` stands for one segment, which may hold any percent-encoded text.
    let path: String
    /// One sentence, for the API's description.
    let summary: String
    let parameters: [CallParameter]
    /// What the body must be; `nil` for a call that reads none.
    let body: JSONShape?
    let answer: Answer
    /// Statuses of refusals besides those that every call has.
    let refusals: [Int]
    let action: Action

    /// What a call answers when all is well.
    enum Answer: Sendable {
        case document(JSONShape)
        /// The same document for what was done, and with status 422 for what could not be.
        case outcome(JSONShape)
        /// Documents until the reader goes, each a line, or as server-sent events for whoever accepts those.
        case stream(JSONShape)
    }

    init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, parameters: [CallParameter] = [], body: JSONShape? = nil,
        answers answer: Answer, refusals: [Int] = [], action: @escaping Action
    ) {
        (self.method, self.path, self.summary, self.parameters) = (method, path, summary, parameters)
        (self.body, self.answer, self.refusals, self.action) = (body, answer, refusals, action)
    }

    /// Whether the answer waits until what the call did is on disk, as far as the durability promises.
    private(set) var isKept = false

    /// The call with an answer that waits for the disk.
    func kept() -> AdminCall {
        var call = self
        call.isKept = true
        return call
    }

    /// Whether the call changes something, which no page elsewhere may make a browser do.
    var changes: Bool { method != .get }
}

/// A member of a call's query.
struct CallParameter: Sendable {
    enum Kind: Sendable {
        case text
        /// A filter of topics' names; `#` when absent. None of a shared subscription, which names a group, too.
        case filter
        /// The same for what is not to touch the broker's own topics: none that begins with `$`.
        case ordinaryFilter
        /// A filter as a client subscribes by it, `$share/GROUP/FILTER` among them.
        case subscription
        /// A topic's name.
        case topic
        case integer(ClosedRange<Int>)
        case flag
        case choice([String])
    }

    let name: String
    let kind: Kind
    let summary: String
    var required = false

    /// Most rows of the answer.
    static func limit(max: Int) -> CallParameter {
        CallParameter(name: "limit", kind: .integer(1...max), summary: "Most rows of the answer.")
    }
}

/// A member of a document, whatever it holds but nothing.
private struct AnyMember: Decodable {
    init(from decoder: any Decoder) throws {
        guard try decoder.singleValueContainer().decodeNil() else { return }
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "is null: leave it out"))
    }
}

/// A request to a call, with what its path and its query say.
struct AdminRequest: Sendable {
    let request: Request
    /// What stands for the path's `{name}`s, decoded.
    let segments: [String: String]
    let query: InspectionQuery
    /// What the call's body may have.
    let members: Set<String>
    let peer: String

    /// What stands for `{name}`, which the call's path has.
    func segment(_ name: String) -> String { segments[name] ?? "" }

    /// The body as a document.
    ///
    /// Throws for a body above `adminBodyBytesMax`, one that is no such document, and one with members that the call does not know.
    func document<Document: Decodable>(_ type: Document.Type, _ limits: InspectionLimits) async throws(InspectionError) -> Document {
        let body: ByteBuffer
        do throws(BodyReadError) {
            body = try await request.readBody(upTo: limits.adminBodyBytesMax, seconds: limits.adminIdleSecondsMax)
        } catch {
            throw .unread(error)
        }
        // A call whose body says nothing may do without one.
        if members.isEmpty, body.readableBytes == 0 { return try JSONAnswer.decode(type, from: ByteBuffer(string: "{}")) }
        let document = try JSONAnswer.decode(type, from: body)
        for name in try JSONAnswer.decode([String: AnyMember].self, from: body).keys.sorted() where !members.contains(name) {
            throw .invalidBody("the call knows no '\(name)'")
        }
        return document
    }
}
