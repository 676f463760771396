/// How long to wait before a failed delivery is tried again: exponentially longer, with full jitter.
///
/// The jitter keeps the deliveries that failed together from coming back together.
struct BackOff {
    /// The longest wait before the first retry.
    let firstMilliseconds: Int64
    /// The longest wait before any retry.
    let longestMilliseconds: Int64

    /// - Parameters:
    ///   - retries: how many have been made.
    ///   - random: where the jitter comes from.
    /// - Returns: milliseconds, from 0 to the bound that doubles with each retry.
    func wait(retries: Int, using random: inout some RandomNumberGenerator) -> Int64 {
        Int64.random(in: 0...bound(retries: retries), using: &random)
    }

    func bound(retries: Int) -> Int64 {
        let longest = max(0, longestMilliseconds)
        let (doubled, overflow) = max(0, firstMilliseconds).multipliedReportingOverflow(by: 1 << Int64(min(max(retries, 0), 40)))
        return overflow ? longest : min(doubled, longest)
    }
}
