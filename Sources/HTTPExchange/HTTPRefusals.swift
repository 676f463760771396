/// Who learns of the requests that a listener refuses before anybody was asked for an answer.
package struct HTTPRefusals: Sendable {
    package let log: RefusalLog
    private let count: @Sendable (_ status: Int) -> Void

    package init(log: RefusalLog, count: @escaping @Sendable (_ status: Int) -> Void = { _ in }) {
        self.log = log
        self.count = count
    }

    package func refused(_ request: RefusedRequest) {
        count(request.status)
        log.report(request)
    }
}
