import MQTTCodec
import NIOCore

extension Will {
    /// In storage of its own: slices would keep the whole CONNECT.
    func stored() -> Will {
        Will(
            topic: ByteBuffer(bytes: topic.readableBytesView), payload: ByteBuffer(bytes: payload.readableBytesView), qos: qos,
            retain: retain, properties: properties.stored())
    }

    /// Bytes that count for `willBytesInAllMax`.
    var size: Int { topic.readableBytes + payload.readableBytes + properties.encoded.readableBytes }
}

extension Shard {
    /// Brings the count of the shard's wills up to date with those of a session and its connection.
    func countWills(of session: Session) {
        let bytes = (session.connection?.will?.size ?? 0) + (session.delayedWill?.will.size ?? 0)
        willBytes += bytes - session.willBytesCounted
        session.willBytesCounted = bytes
    }
}
