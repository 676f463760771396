import BrokerCore
import BrokerServer
import Glibc
import Logging

/// How many files the process may have open, which sockets of clients must not use up: the store, requests, and who looks what is wrong need
/// some, too.
enum OpenFiles {
    /// Kept for the rest of the program, where half of all are more.
    private static let reserve = 768
    /// Below so many it is most likely not meant.
    private static let warnedBelow = 4_096

    /// After the limit has been raised to what it may be; `nil` where it cannot be asked for.
    private static let most: Int? = {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(files, &limit) == 0 else { return nil }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        return Int(clamping: unsafe setrlimit(files, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur)
    }()

    /// These limits with no more connections than there may be files for.
    static func bounding(_ limits: BrokerLimits) -> BrokerLimits {
        guard let most else { return limits }
        var limits = limits
        limits.connectionsMax = min(limits.connectionsMax, max(1, most - min(reserve, most / 2)))
        return limits
    }

    /// Tells of a limit that is likely to be met.
    static func warn(_ limits: BrokerLimits, log: Logger) {
        guard let most, most < warnedBelow else { return }
        log.warning(
            "few files may be open (ulimit -n, LimitNOFILE)",
            metadata: [
                Logger.MetadataValue.eventKey: "few_open_files", "openFilesMax": "\(most)", "connectionsMax": "\(limits.connectionsMax)",
                "effect": "a further MQTT client is closed when it connects",
            ])
    }
}
