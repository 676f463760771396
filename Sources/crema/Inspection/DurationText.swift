/// Spans of time as people read them.
enum DurationText {
    /// `12s`, `3m05s`, `2h10m`, `4d02h`.
    static func short(seconds: Int) -> String {
        func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        switch seconds {
        case ..<60: return "\(max(0, seconds))s"
        case ..<3_600: return "\(seconds / 60)m\(padded(seconds % 60))s"
        case ..<86_400: return "\(seconds / 3_600)h\(padded(seconds / 60 % 60))m"
        default: return "\(seconds / 86_400)d\(padded(seconds / 3_600 % 24))h"
        }
    }
}
