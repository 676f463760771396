/// Carries out a run of whatever mode its parameters name.
package struct LoadRun: Sendable {
    private let parameters: LoadParameters
    private let broker: BrokerAddress
    private let brokerPID: Int32?

    /// Checks the parameters, and that `brokerPID` can be read; CPU time and memory of another machine's broker are not to be had.
    package init(parameters: LoadParameters, broker: BrokerAddress, brokerPID: Int32?) throws(LoadError) {
        try parameters.validate()
        if let brokerPID, ProcessUsage(of: brokerPID) == nil {
            throw .parameters("there is no process \(brokerPID) to read (--pid, --against-pid)")
        }
        self.parameters = parameters
        self.broker = broker
        self.brokerPID = brokerPID
    }

    /// Runs once.
    ///
    /// An error is a ``LoadError`` in all but the machine's own failures.
    package func execute(progress: @escaping @Sendable (RunProgress) -> Void = { _ in }) async throws -> RunFigures {
        switch parameters.mode {
        case .p2p, .fanin, .fanout:
            try await MessageRun(parameters: parameters, broker: broker, brokerPID: brokerPID, progress: progress).execute()
        case .connect:
            try await ConnectRun(parameters: parameters, broker: broker, brokerPID: brokerPID, progress: progress).execute()
        }
    }
}
