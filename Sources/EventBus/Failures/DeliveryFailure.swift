import BrokerCore
import Queues
import Rules

/// Why one output of a rule came to nothing.
enum DeliveryFailure: Error, Sendable {
    case topic(TopicTemplateError)
    /// The topic that a template made of a message is none.
    case invalidTopic(String)
    case payload(TransformError)
    case nothingSelected
    case statement(SQLEvaluationError)
    /// A `${…}` of the named field has no value.
    case undefined(field: String)
    /// A field of the republished message's headers has no value that MQTT 5 takes.
    case invalidHeader(field: String, String)
    case detailIsNoObject
    case sourceNotAllowed(String)
    case tooLarge(bytesMax: Int)
    case unknownBus(String)
    case queue(name: String, QueueError)
    case invalidQueueURL(String)
    case payloadIsNoText
    /// A part of a call that the event has no value for, or none that can stand there.
    case noParameter(String)
    /// The URL that a template made of a message is none that is called.
    case invalidURL(String)
    /// An API destination that is not there any more, or lacks what it calls with.
    case inactive(destination: String, DestinationLack)
    /// A call over HTTP, by what the rule calls.
    case call(name: String, FailedCall)
    /// There is no room for a delivery to wait in, by the limit's name.
    case tooManyPending(limit: String)
    /// Its time was over before its turn came.
    case tooOld
    /// Crema stops; the last failure, if it was tried.
    case stopped(last: String?)
    /// Crema stops while an attempt is under way, of which nobody will hear what became.
    case interrupted

    /// Whether it is tried again.
    var retry: RetryAdvice {
        switch self {
        case .queue(_, let error) where error.code == .overLimit: .later()
        case .queue(_, let error) where error.code == .serviceUnavailable: .whenStoreWrites
        case .call(_, let failed): failed.retry
        case .queue, .topic, .invalidTopic, .payload, .nothingSelected, .statement, .undefined, .invalidHeader, .detailIsNoObject,
            .sourceNotAllowed, .tooLarge, .unknownBus, .invalidQueueURL, .payloadIsNoText, .noParameter, .invalidURL, .inactive,
            .tooManyPending, .tooOld, .stopped, .interrupted:
            .never
        }
    }

    /// Whether Crema's end is all that ended it.
    var isStop: Bool {
        switch self {
        case .stopped, .interrupted: true
        default: false
        }
    }

    /// For machines: stable, in the manner of EventBridge's `ERROR_CODE`.
    var code: String {
        switch self {
        case .topic, .invalidTopic: "INVALID_TOPIC"
        case .payload, .nothingSelected: "INVALID_INPUT"
        case .statement: "SQL_FAILED"
        case .undefined: "UNDEFINED_VALUE"
        case .invalidHeader: "INVALID_HEADER"
        case .detailIsNoObject: "MALFORMED_DETAIL"
        case .sourceNotAllowed: "NO_PERMISSIONS"
        case .tooLarge: "TOO_LARGE"
        case .unknownBus: "NO_RESOURCE"
        case .queue(_, let error):
            switch error.code {
            case .queueDoesNotExist: "NO_RESOURCE"
            case .overLimit: "THROTTLING"
            case .serviceUnavailable: "SERVICE_UNAVAILABLE"
            default: "SDK_CLIENT_ERROR"
            }
        case .invalidQueueURL: "INVALID_QUEUE"
        case .payloadIsNoText: "INVALID_PAYLOAD"
        case .noParameter: "INVALID_INPUT"
        case .invalidURL: "INVALID_URL"
        case .inactive(_, let lack): lack.code
        case .call(_, let failed): failed.code
        case .tooManyPending: "THROTTLING"
        case .tooOld: "TIMEOUT"
        case .stopped, .interrupted: "SHUTDOWN"
        }
    }

    /// For people; what it quotes from messages is cut, so that one failure is one line.
    var message: String { LoggedText.escaping(reason, charactersMax: Self.charactersMax) }

    /// Characters of a message; the rest is cut and marked by `…`.
    static let charactersMax = 1_024

    private var reason: String {
        switch self {
        case .topic(let error): "\(error)"
        case .invalidTopic(let reason): reason
        case .payload(let error): "\(error)"
        case .nothingSelected: "InputPath selects nothing in this event"
        case .statement(let error): "\(error)"
        case .undefined(let field): "a ${…} of \(field) has no value in this message"
        case .invalidHeader(let field, let reason): "\(field) \(reason)"
        case .detailIsNoObject: "the selected value is not a JSON object, which the detail of an event must be"
        case .sourceNotAllowed(let source): "the source `\(source)` begins with aws., which only AWS may use"
        case .tooLarge(let bytesMax): "the event is larger than putEventsBytesMax (\(bytesMax) bytes)"
        case .unknownBus(let name): "Event bus \(name) does not exist."
        case .queue(let name, let error): "the queue \(name) refused it: \(error.message)"
        case .invalidQueueURL(let url): "`\(url)` is not the URL of a queue"
        case .payloadIsNoText: "the payload is not UTF-8; `UseBase64: true` sends it as Base64"
        case .noParameter(let name): "\(name) has no value in this event, or none that can stand there"
        case .invalidURL(let reason): reason
        case .inactive(let name, let lack): "the API destination \(name) is not called: \(lack.reason)"
        case .call(let name, let failed): "\(name): \(failed.message)"
        case .tooManyPending(let limit): "too many deliveries wait already, see the limit \(limit)"
        case .tooOld: "it was not its turn before MaximumEventAgeInSeconds was over"
        case .stopped(let last):
            last.map { "Crema stopped before it was tried again; it had failed: \($0)" } ?? "Crema stopped before its turn came"
        case .interrupted: "Crema stopped while it was under way; the target may have taken it"
        }
    }
}
