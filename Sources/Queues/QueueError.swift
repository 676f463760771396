/// Why a call was refused, in the service's words where it has some.
package struct QueueError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The names that clients switch over.
    package enum Code: String, Sendable {
        case batchEntryIdsNotDistinct = "BatchEntryIdsNotDistinct"
        case batchRequestTooLong = "BatchRequestTooLong"
        case emptyBatchRequest = "EmptyBatchRequest"
        case invalidAddress = "InvalidAddress"
        case invalidAttributeName = "InvalidAttributeName"
        case invalidAttributeValue = "InvalidAttributeValue"
        case invalidBatchEntryID = "InvalidBatchEntryId"
        case invalidMessageContents = "InvalidMessageContents"
        case invalidParameterValue = "InvalidParameterValueException"
        case messageNotInFlight = "MessageNotInflight"
        case missingParameter = "MissingRequiredParameterException"
        case overLimit = "OverLimit"
        case queueDoesNotExist = "QueueDoesNotExist"
        case queueNameExists = "QueueNameExists"
        case receiptHandleIsInvalid = "ReceiptHandleIsInvalid"
        case resourceNotFound = "ResourceNotFoundException"
        /// The disk takes nothing.
        case serviceUnavailable = "ServiceUnavailable"
        case tooManyEntriesInBatchRequest = "TooManyEntriesInBatchRequest"
        case unsupportedOperation = "UnsupportedOperation"

        /// The name in the older protocol, which some clients still switch over.
        package var olderName: String {
            switch self {
            case .queueDoesNotExist: "AWS.SimpleQueueService.NonExistentQueue"
            case .queueNameExists: "QueueAlreadyExists"
            case .invalidParameterValue: "InvalidParameterValue"
            case .missingParameter: "MissingParameter"
            case .resourceNotFound: "ResourceNotFoundException"
            case .batchEntryIdsNotDistinct, .batchRequestTooLong, .emptyBatchRequest, .invalidBatchEntryID, .messageNotInFlight,
                .tooManyEntriesInBatchRequest, .unsupportedOperation:
                "AWS.SimpleQueueService.\(rawValue)"
            case .invalidAddress, .invalidAttributeName, .invalidAttributeValue, .invalidMessageContents, .overLimit,
                .receiptHandleIsInvalid, .serviceUnavailable:
                rawValue
            }
        }
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    package static let queueDoesNotExist = QueueError(.queueDoesNotExist, "The specified queue does not exist.")

    /// A queue that a task is to move messages from or to.
    static func resourceDoesNotExist(_ queue: String) -> QueueError {
        QueueError(
            .resourceNotFound, "The resource that you specified for the SourceArn or DestinationArn parameter doesn't exist: \(queue)")
    }

    /// Whatever was asked for, it may be carried out later all the same.
    package static let notKept = QueueError(
        .serviceUnavailable, "The store of Crema cannot write now; its log says why. Try again later.")

    package static func missing(_ parameter: String) -> QueueError {
        QueueError(.missingParameter, "The request must contain the parameter \(parameter).")
    }

    package static func invalid(_ value: String, _ parameter: String, _ reason: String) -> QueueError {
        QueueError(.invalidParameterValue, "Value \(value) for parameter \(parameter) is invalid. Reason: \(reason)")
    }
}
