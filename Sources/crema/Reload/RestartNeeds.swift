import Documents

extension Configuration {
    /// What differs in another configuration, and is taken at a start only: in words, one for each.
    func needingRestart(_ next: Configuration) -> [String] {
        var needs = listenerNeeds(next)
        if store != next.store { needs.append("`data` and `durability`") }
        let names = Set(limits.keys).union(next.limits.keys).subtracting(KnownLimits.reloadable).filter { limits[$0] != next.limits[$0] }
        if !names.isEmpty { needs.append("the limits \(names.sorted().joined(separator: ", "))") }
        if serverReference != next.serverReference { needs.append("`serverReference`") }
        if allowedHosts.map(\.text) != next.allowedHosts.map(\.text) { needs.append("`http`") }
        if lambdaEndpoint?.text != next.lambdaEndpoint?.text { needs.append("`lambda`") }
        if tracing != next.tracing { needs.append("`tracing`") }
        if lifecycleEvents != next.lifecycleEvents { needs.append("`lifecycleEvents`") }
        if log.format != next.log.format { needs.append("`log: format`") }
        if watchFiles != next.watchFiles { needs.append("`watchFiles`") }
        return needs
    }

    /// Why another configuration must not be taken while this one's listeners are open; empty when it may.
    func lossesOfUsers(_ next: Configuration) -> [String] { listeners.compactMap { $0.lossOfUsers(next) } }

    private func listenerNeeds(_ next: Configuration) -> [String] {
        var needs: [String] = []
        // Names may be the same where the system chooses the ports; then the order counts.
        var rest = next.listeners
        for listener in listeners {
            guard let index = rest.firstIndex(where: { $0.name == listener.name }) else {
                needs.append("the listener \(listener.name), which is not there any more")
                continue
            }
            let keys = listener.keysNeedingRestart(rest.remove(at: index))
            if !keys.isEmpty { needs.append("\(keys.joined(separator: ", ")) of the listener \(listener.name)") }
        }
        return needs + rest.map { "the listener \($0.name), which is new" }
    }
}

extension ListenerConfiguration {
    private var hasAdministrators: Bool { `protocol` == .admin && (adminToken != nil || !tokens.isEmpty) }

    /// Whether users prove there who they are, by what a reload reads anew.
    private var hasUsers: Bool { passwords != nil || scramUsers != nil || adminToken != nil || !tokens.isEmpty }

    /// Of one that stays open until a restart, and whose users nobody would know any more: why it must stay in the configuration.
    fileprivate func lossOfUsers(_ next: Configuration) -> String? {
        guard hasUsers, !next.listeners.contains(where: { $0.name == name }) else { return nil }
        return "the listener \(name) stays open until a restart, and its users would be gone: leave it in the configuration, or restart"
    }

    /// Keys whose values differ and that are not taken by a reload; files are.
    fileprivate func keysNeedingRestart(_ next: ListenerConfiguration) -> [String] {
        let differences = [
            ("anonymous", anonymous != next.anonymous), ("slowConsumer", slowConsumer != next.slowConsumer),
            ("dialect", dialect != next.dialect), ("path", path != next.path), ("origins", origins != next.origins),
            ("hosts", hosts != next.hosts), ("limitLoopback", limitLoopback != next.limitLoopback),
            ("accessKeys", accessKeys != next.accessKeys),
            // Whether administrators are asked at all; whom it takes then, a reload says.
            ("adminToken", hasAdministrators != next.hasAdministrators),
        ]
        return differences.filter(\.1).map { "`\($0.0)`" }
    }
}
