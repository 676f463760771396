import NIOCore

/// QoS 0 frames that several clients get in the same order, written once (record 0011).
///
/// A client that has got nothing else since its last send needs no copy of them: it only remembers from where to where.
final class SharedFrames {
    /// Bytes after which a new run is begun, so that a long turn does not gather without end.
    static let bytesMax = 262_144

    fileprivate private(set) var bytes = ByteBuffer()
    /// Where the frame that was written last begins.
    fileprivate private(set) var lastStart = 0

    fileprivate var end: Int { bytes.writerIndex }

    var isEmpty: Bool { bytes.writerIndex == 0 }
    var isFull: Bool { bytes.writerIndex >= Self.bytesMax }

    func append(_ frame: ByteBuffer) {
        lastStart = bytes.writerIndex
        bytes.writeImmutableBuffer(frame)
    }

    /// Forgets what was written; only when no client points into it any more.
    func removeAll() {
        lastStart = 0
        // Clearing keeps the capacity, which one large message may have made large.
        if bytes.capacity > 2 * Self.bytesMax { bytes = ByteBuffer() } else { bytes.clear() }
    }
}

/// Bytes for one client that have not been handed to the transport: frames it shares with others, or bytes of its own.
struct OutboundBytes {
    private var own = ByteBuffer()
    /// Set while everything here is a part of it; then `own` is empty.
    private var shared: SharedFrames?
    private var sharedStart = 0
    private var sharedEnd = 0

    var count: Int { own.readableBytes + (sharedEnd - sharedStart) }

    /// The bytes, to append to; what is shared is copied first.
    var buffer: ByteBuffer {
        get { shared == nil ? own : sharedSlice }
        _modify {
            if shared != nil { makeOwn() }
            yield &own
        }
    }

    /// Appends the frame that was written last into `frames`.
    mutating func append(lastOf frames: SharedFrames) {
        if let shared {
            if shared === frames, sharedEnd == frames.lastStart {
                sharedEnd = frames.end
                return
            }
            makeOwn()
        } else if own.readableBytes == 0 {
            shared = frames
            sharedStart = frames.lastStart
            sharedEnd = frames.end
            return
        }
        if let frame = frames.bytes.getSlice(at: frames.lastStart, length: frames.end - frames.lastStart) {
            own.writeImmutableBuffer(frame)
        }
    }

    /// Takes bytes that lie in storage of somebody else's, uncopied until more is appended: where there are none yet.
    mutating func begin(with bytes: ByteBuffer) { own = bytes }

    /// Everything, which is the caller's from now on.
    mutating func take() -> ByteBuffer {
        if shared == nil {
            var taken = ByteBuffer()
            swap(&taken, &own)
            return taken
        }
        let slice = sharedSlice
        forgetShared()
        return slice
    }

    private var sharedSlice: ByteBuffer { shared?.bytes.getSlice(at: sharedStart, length: sharedEnd - sharedStart) ?? ByteBuffer() }

    /// For bytes that cannot be sent now: what others share must not be kept for them.
    mutating func unshare() { if shared != nil { makeOwn() } }

    private mutating func makeOwn() {
        own.writeImmutableBuffer(sharedSlice)
        forgetShared()
    }

    private mutating func forgetShared() {
        shared = nil
        sharedStart = 0
        sharedEnd = 0
    }
}
