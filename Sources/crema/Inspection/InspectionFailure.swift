import ArgumentParser
import AsyncHTTPClient
import LoadGenerator
import NIOCore
import NIOPosix
import NIOSSL

/// Why a command that asks a running broker got no answer, with the exit code that says so.
enum InspectionFailure: Error, Equatable {
    case usage(String)
    case cannotConnect(String)
    case refused(String)
    case tls(String)
    case failed(String)

    var exitCode: ExitCode {
        switch self {
        case .failed: ExitCode(1)
        case .usage: ExitCode(2)
        case .cannotConnect: ExitCode(3)
        case .refused: ExitCode(4)
        case .tls: ExitCode(5)
        }
    }

    var message: String {
        switch self {
        case .usage(let message), .cannotConnect(let message), .refused(let message), .tls(let message), .failed(let message): message
        }
    }

    /// Sorts what the HTTP client threw.
    init(_ error: any Error, address: String) {
        self =
            switch error {
            case let failure as InspectionFailure: failure
            case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
                .tls("cannot speak TLS with \(address): \(TLSErrorText.of(error))")
            case is NIOConnectionError, is IOError, is ChannelError:
                .cannotConnect("cannot connect to \(address); is `crema serve` running with an admin listener there?")
            case let failure as HTTPClientError where failure == .tlsHandshakeTimeout:
                .tls("\(address) did not finish the TLS handshake")
            case let failure as HTTPClientError where failure == .connectTimeout:
                .cannotConnect("cannot connect to \(address): no answer")
            case let failure as HTTPClientError where failure == .remoteConnectionClosed:
                .failed("\(address) closed the connection without an answer")
            default: .failed("\(address): \(error)")
            }
    }
}
