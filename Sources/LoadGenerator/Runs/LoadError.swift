/// Why a run could not be carried out; what a broker did wrong with messages is a ``Violation``, not an error.
package enum LoadError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The parameters contradict each other, or a file that they name cannot be used.
    case parameters(String)
    /// No connection came about, or no answer to CONNECT.
    case cannotConnect(String)
    /// The broker answered CONNECT or SUBSCRIBE with a refusal.
    case refused(String)
    /// The TLS handshake failed, or the TLS layer did later.
    case tls(String)
    /// A connection ended, or brought what is not MQTT, in the middle of the run.
    case connectionLost(String)

    package var description: String {
        switch self {
        case .parameters(let reason), .cannotConnect(let reason), .refused(let reason), .tls(let reason), .connectionLost(let reason):
            reason
        }
    }

    /// The command's exit code for this error.
    package var exitCode: Int32 {
        switch self {
        case .connectionLost: 1
        case .parameters: 2
        case .cannotConnect: 3
        case .refused: 4
        case .tls: 5
        }
    }
}
