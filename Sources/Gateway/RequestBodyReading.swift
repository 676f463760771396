import Hummingbird
import NIOCore

/// Why a request's body could not be read.
///
/// The two halves of the gateway put it into their own error shapes.
enum BodyReadError: Error, Equatable {
    case tooLong(limit: Int)
    case tooSlow(seconds: Int)
    /// `Content-Encoding` other than identity: Crema inflates nothing, so nothing small can become something large.
    case encoded(String)
    /// The connection ended before the body did.
    case interrupted
}

extension Request {
    /// Collects the body, up to `limit` bytes and for at most `seconds`.
    ///
    /// A declared length above the limit is refused before a byte is read. A drip of bytes cannot hold the request longer than the time
    /// given plus one idle timeout, because every piece that arrives looks at the clock.
    func readBody(upTo limit: Int, seconds: Int) async throws(BodyReadError) -> ByteBuffer {
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw .encoded(encoding)
        }
        if let declared = headers[.contentLength], let length = Int(declared), length > limit {
            throw .tooLong(limit: limit)
        }
        let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
        var collected = ByteBuffer()
        do {
            for try await var piece in body {
                guard piece.readableBytes <= limit - collected.readableBytes else { throw BodyReadError.tooLong(limit: limit) }
                guard ContinuousClock.now < deadline else { throw BodyReadError.tooSlow(seconds: seconds) }
                if collected.readableBytes == 0 {
                    collected = piece
                } else {
                    collected.writeBuffer(&piece)
                }
            }
        } catch let error as BodyReadError {
            throw error
        } catch {
            throw .interrupted
        }
        return collected
    }
}
