import EventBus
import Synchronization

/// An HTTP door whose calls a test answers.
final class ScriptedDoor: HTTPDoor {
    struct Call: Sendable {
        let invocation: HTTPInvocation
        let answer: @Sendable (HTTPOutcome) -> Void

        var header: [String: String] {
            Dictionary(invocation.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { "\($0), \($1)" })
        }
        var body: String { String(decoding: invocation.body, as: UTF8.self) }
    }

    private let calls = Mutex<[Call]>([])

    func send(_ invocation: HTTPInvocation, completion: @escaping @Sendable (HTTPOutcome) -> Void) {
        calls.withLock { $0.append(Call(invocation: invocation, answer: completion)) }
    }

    /// The calls that nobody has answered, in order; they are the test's now.
    func take() -> [Call] {
        calls.withLock { calls in
            defer { calls = [] }
            return calls
        }
    }
}
