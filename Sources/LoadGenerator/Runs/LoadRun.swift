/// Carries out a run of whatever mode its parameters name.
package struct LoadRun: Sendable {
    private let parameters: LoadParameters
    private let target: LoadTarget

    /// Checks the parameters, and that the broker's process can be read; CPU time and memory of another machine's broker are not to be had.
    package init(parameters: LoadParameters, target: LoadTarget) throws(LoadError) {
        try parameters.validate()
        if let pid = target.pid, target.usage == nil {
            throw .parameters("there is no process \(pid) to read (--pid, --against-pid)")
        }
        self.parameters = parameters
        self.target = target
    }

    /// Runs once.
    ///
    /// An error is a ``LoadError`` in all but the machine's own failures.
    package func execute(progress: @escaping @Sendable (RunProgress) -> Void = { _ in }) async throws -> RunFigures {
        switch parameters.mode {
        case .p2p, .fanin, .fanout, .rules, .durable:
            try await MessageRun(parameters: parameters, target: target, progress: progress).execute()
        case .connect:
            try await ConnectRun(parameters: parameters, target: target, progress: progress).execute()
        case .idle:
            try await IdleRun(parameters: parameters, target: target, progress: progress).execute()
        }
    }
}

extension LoadTarget {
    /// What the broker's process has used so far; `nil` when it is not on this machine.
    var usage: ProcessUsage? { pid.flatMap { ProcessUsage(of: $0) } }
}
