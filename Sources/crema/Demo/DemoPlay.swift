import Foundation

/// Why a demo failed, in words for whoever watches it.
struct DemoFailure: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Takes one order through the shop, step by step; a step follows when the statuses of the one before it have reached both screens.
struct DemoPlay {
    /// What the demo waits for.
    private enum Happening: Sendable {
        case line(screen: Int, String)
        case ended(String)
        case deadline(step: Int)
    }

    private static let readySecondsMax = 30
    private static let stepSecondsMax = 15

    private let site: DemoSite
    private let children: ChildProcesses
    private let printer: DemoPrinter
    private let order = DemoOrder()
    private var screens: [StatusScreen]
    private let happenings: AsyncStream<Happening>
    private let report: AsyncStream<Happening>.Continuation
    private let brokerLog = RecentLines(limit: 20)

    init(site: DemoSite, children: ChildProcesses, printer: DemoPrinter) {
        self.site = site
        self.children = children
        self.printer = printer
        let expected = order.events.map(\.type)
        screens = [
            StatusScreen(name: "customer", topic: order.userTopic, orderID: order.orderID, expected: expected),
            StatusScreen(name: "barista", topic: order.baristaTopic, orderID: order.orderID, expected: expected),
        ]
        (happenings, report) = AsyncStream.makeStream(of: Happening.self)
    }

    mutating func perform() async throws {
        printer.heading("One order, from HTTP and MQTT to two screens")
        try await startBroker()
        try await openScreens()
        try await refuseNeighbour()
        var shown = 0
        for (step, events) in steps().enumerated() {
            try await send(events)
            shown += events.count
            try await waitUntilShown(shown, step: step)
        }
    }

    /// The order's events, with those together that go into one call.
    private func steps() -> [[DemoOrder.Event]] {
        order.events.reduce(into: []) { steps, event in
            if case .putEvents = event.route, case .putEvents? = steps.last?.last?.route {
                steps[steps.count - 1].append(event)
            } else {
                steps.append([event])
            }
        }
    }

    // MARK: - Before the order

    private func startBroker() async throws {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let lines = try children.start(executable, ["serve", "--config", site.configurationFile])
        let log = brokerLog
        let report = report
        Task {
            for await line in lines { log.append(line) }
            log.end()
            report.yield(.ended("the broker"))
        }
        let url = site.url(site.admin, "/readyz")
        try await poll("the broker is not ready: \(url) did not say so") {
            try await children.run("curl", ["--silent", "--fail", "--max-time", "2", url]).status == 0
        }
        printer.note("broker", "ready, with \(site.configurationFile)")
    }

    private func openScreens() async throws {
        for (index, screen) in screens.enumerated() {
            let lines = try children.start(
                "mosquitto_sub",
                site.mutualTLS(as: screen.name) + ["-i", screen.clientID, "-q", "1", "-t", screen.topic, "-F", "%p"])
            let report = report
            Task {
                for await line in lines { report.yield(.line(screen: index, line)) }
                report.yield(.ended("mosquitto_sub of the \(screen.name)"))
            }
        }
        let url = site.url(site.admin, "/api/v1/clients")
        let wanted = Set(screens.map(\.clientID))
        try await poll("mosquitto_sub did not subscribe over mutual TLS: \(url) does not show both subscriptions") {
            let answer = try await children.run("curl", ["--silent", "--fail", "--max-time", "2", url])
            return SubscribedClients(answer.text).names.isSuperset(of: wanted)
        }
        for screen in screens { printer.note(screen.name, "mosquitto_sub shows \(screen.topic), over mutual TLS") }
    }

    /// Somebody with a certificate of the same authority asks for the customer's status, and is told no.
    private func refuseNeighbour() async throws {
        printer.step("mosquitto_sub", "a nosy neighbour asks for \(order.userTopic)")
        let output = try await children.run(
            "mosquitto_sub",
            site.mutualTLS(as: "neighbour") + ["-i", "demo-neighbour", "-V", "5", "-q", "1", "-t", order.userTopic, "-C", "1", "-W", "2"])
        // mosquitto_sub says that it was denied; the log says why.
        try await poll("the broker let a neighbour have \(order.userTopic): \(output.text)") {
            brokerLog.lines.contains { $0.contains("subscription denied") && $0.contains("demo-neighbour") }
        }
        printer.note("neighbour", "refused: \(order.userTopic) is for \(order.userID) alone")
    }

    /// Asks again and again until the answer is yes.
    private func poll(_ failure: String, _ question: () async throws -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(Self.readySecondsMax)
        while try await !question() {
            if brokerLog.hasEnded { throw explained("the broker ended early") }
            guard clock.now < deadline else { throw explained(failure) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    // MARK: - The order

    private func send(_ events: [DemoOrder.Event]) async throws {
        guard let first = events.first else { return }
        let curl = ["--silent", "--show-error", "--fail-with-body", "--max-time", "10"]
        switch first.route {
        case .api:
            printer.step("curl", "POST /order")
            let body = "{\"detail\":\(first.detail)}"
            let headers = ["--header", "Content-Type: application/json"]
            try await expectAccepted(curl + headers + ["--data", body, site.url(site.http, "/order")])
        case .putEvents:
            printer.step("curl", "PutEvents, \(events.count) event\(events.count == 1 ? "" : "s")")
            let headers = ["--header", "X-Amz-Target: AWSEvents.PutEvents", "--header", "Content-Type: application/x-amz-json-1.1"]
            try await expectAccepted(curl + headers + ["--data", DemoOrder.putEventsBody(events), site.url(site.http, "/")])
        case .device:
            printer.step("mosquitto_pub", "\(order.deviceTopic), over mutual TLS")
            let output = try await children.run(
                "mosquitto_pub",
                site.mutualTLS(as: order.device) + ["-i", order.device, "-q", "1", "-t", order.deviceTopic, "-m", first.detail])
            guard output.status == 0 else { throw explained("mosquitto_pub failed (exit \(output.status)): \(output.text)") }
        }
    }

    /// Runs curl, and insists on an answer that every entry was taken.
    private func expectAccepted(_ arguments: [String]) async throws {
        let output = try await children.run("curl", arguments)
        let answer = try? JSONSerialization.jsonObject(with: Data(output.text.utf8)) as? [String: Any]
        guard output.status == 0, (answer?["FailedEntryCount"] as? NSNumber)?.intValue == 0 else {
            throw explained("the request was not accepted (curl's exit code \(output.status)): \(output.text)")
        }
    }

    private mutating func waitUntilShown(_ count: Int, step: Int) async throws {
        let report = report
        let deadline = Task {
            try await Task.sleep(for: .seconds(Self.stepSecondsMax))
            report.yield(.deadline(step: step))
        }
        defer { deadline.cancel() }
        for await happening in happenings {
            switch happening {
            case .line(let index, let line):
                let type = try screens[index].show(line)
                printer.status(screens[index].name, type)
                if screens.allSatisfy({ $0.shown >= count }) { return }
            case .ended(let name): throw explained("\(name) ended early")
            case .deadline(step): throw explained(missing(count))
            case .deadline: continue  // of a step that is done
            }
        }
        throw explained("nothing is left to wait for")
    }

    private func missing(_ count: Int) -> String {
        screens.compactMap { screen in
            let types = screen.expected[..<count].dropFirst(screen.shown)
            return types.isEmpty ? nil : "the \(screen.name)'s screen did not show \(types.joined(separator: ", "))"
        }.joined(separator: "; ")
    }

    /// A failure, with the end of the broker's log.
    private func explained(_ failure: String) -> DemoFailure {
        let log = brokerLog.lines
        return DemoFailure(log.isEmpty ? failure : "\(failure)\nThe broker's last lines:\n  \(log.joined(separator: "\n  "))")
    }
}
