import BrokerCore
import NIOCore
import Testing

@testable import BrokerServer

@Suite struct SystemTopicsTests {
    @Test("Loads weigh a minute, five and fifteen, as mosquitto's do")
    func loads() throws {
        var loads = SystemLoads()
        var statistics = BrokerStatistics()
        loads.take(statistics, after: 0)
        for _ in 0..<6 {
            statistics.publishReceived[1] += 100
            loads.take(statistics, after: 10)
        }
        let values = Dictionary(uniqueKeysWithValues: loads.topics.map { ($0.name, $0.value) })
        // 600 a minute, from nothing: 600 (1 - e^-1), 600 (1 - e^-0.2), 600 (1 - e^(-1/15)).
        #expect(values["load/publish/received/1min"] == "379.27")
        #expect(values["load/publish/received/5min"] == "108.76")
        #expect(values["load/publish/received/15min"] == "38.70")
        #expect(values["load/sockets/1min"] == "0.00")
        #expect(values.count == 27)
    }

    @Test func aLoopThatIsHeldUpIsSeen() {
        var lag = LoopLag()
        #expect(lag.worstSeconds == 0)
        lag.ran(late: .milliseconds(300))
        for _ in 0..<19 { lag.ran(late: .microseconds(50)) }
        #expect(lag.worstSeconds == 0.3)
        lag.ran(late: .milliseconds(-1))
        #expect(lag.worstSeconds == 0.00005)
    }
}
