import Glibc

/// The time of day, which certificates are dated in.
///
/// Everything that compares dates also takes a time from its caller.
package enum WallClock {
    /// Seconds since 1970.
    package static func now() -> Int64 {
        Int64(time(nil))
    }
}
