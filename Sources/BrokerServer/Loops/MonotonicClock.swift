package import BrokerCore
import NIOCore

extension Instant {
    /// The time on the event loops' own clock, which never goes back.
    package static var now: Instant { Instant(NIODeadline.now()) }

    init(_ deadline: NIODeadline) { self.init(nanoseconds: Int64(clamping: deadline.uptimeNanoseconds)) }

    var deadline: NIODeadline { .uptimeNanoseconds(UInt64(clamping: nanoseconds)) }
}
