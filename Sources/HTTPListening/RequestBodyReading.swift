import HTTPExchange
package import Hummingbird
package import NIOCore

/// Why a request's body could not be read.
///
/// Whoever answers puts it into its own error shape.
package enum BodyReadError: Error, Equatable {
    case tooLong(limit: Int)
    case tooSlow(seconds: Int)
    /// `Content-Encoding` other than identity: Crema inflates nothing, so nothing small can become something large.
    case encoded(String)
    /// Not a body by HTTP's rules.
    case malformed(String)
    /// The connection ended before the body did.
    case interrupted
}

extension Request {
    /// Collects the body, up to `limit` bytes.
    ///
    /// A declared length above the limit is refused before a byte is read. That the body comes in `seconds` is seen to by the connection.
    package func readBody(upTo limit: Int, seconds: Int) async throws(BodyReadError) -> ByteBuffer {
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw .encoded(encoding)
        }
        if let declared = headers[.contentLength], let length = Int(declared), length > limit {
            throw .tooLong(limit: limit)
        }
        var collected = ByteBuffer()
        do {
            for try await var piece in body {
                guard piece.readableBytes <= limit - collected.readableBytes else { throw BodyReadError.tooLong(limit: limit) }
                if collected.readableBytes == 0 {
                    collected = piece
                } else {
                    collected.writeBuffer(&piece)
                }
            }
        } catch let error as BodyReadError {
            throw error
        } catch RequestBodyFailure.tooSlow {
            throw .tooSlow(seconds: seconds)
        } catch RequestBodyFailure.malformed(let reason) {
            throw .malformed(reason)
        } catch {
            throw .interrupted
        }
        return collected
    }
}
