import BrokerCore
import CremaTesting
import NIOCore
import Testing

/// The conversations of `Tests/WireVectors` with the core alone; with a whole broker and sockets they are played end to end.
@Suite struct WireVectorTests {
    @Test("A conversation goes the same on one event loop and on several, whole and byte by byte", arguments: try WireVector.all())
    func conversation(_ vector: WireVector) throws {
        for shards in [1, 3] {
            for isBytewise in [false, true] {
                let conversation = Conversation(vector, shards: shards, isBytewise: isBytewise)
                try conversation.play()
            }
        }
    }

    @Test func thereAreVectors() throws {
        let vectors = try WireVector.all()
        #expect(vectors.count >= 374)
        #expect(Set(vectors.map(\.id)).count == vectors.count)
    }

    @Test("A pattern takes what it says, and nothing else")
    func patterns() throws {
        let pattern = try WirePattern("e0 # 81 # 1f text")
        #expect(pattern.matches([0xE0, 6, 0x81, 4, 0x1F, 0, 1, 0x61]))
        #expect(!pattern.matches([0xE0, 6, 0x82, 4, 0x1F, 0, 1, 0x61]))
        #expect(!pattern.matches([0xE0, 6, 0x81, 4, 0x1F, 0, 1, 0x61, 0x62]))
        #expect(!pattern.matches([0xE0, 6, 0x81, 4, 0x1F, 0, 0]))
        #expect(try WirePattern("<=00000064 00x2").matches([0, 0, 0, 0x63, 0, 0]))
        #expect(try !WirePattern("<=00000064").matches([0, 0, 0, 0x65]))
        #expect(try WirePattern("20 *").matches([0x20, 1, 2]))
    }
}

/// One conversation with a broker of its own.
private final class Conversation {
    private let vector: WireVector
    private let broker: SimulatedBroker
    private let isBytewise: Bool
    private let shards: Int
    private var sockets: [(name: String, socket: SimulatedSocket)] = []
    private var ended: Set<String> = []
    private var accepted: Set<String> = []

    init(_ vector: WireVector, shards: Int, isBytewise: Bool) {
        self.vector = vector
        self.shards = shards
        self.isBytewise = isBytewise
        broker = SimulatedBroker(shards: shards)
    }

    func play() throws {
        for (number, step) in vector.steps.enumerated() {
            guard try take(step) else { return fail("step \(number + 1)") }
        }
        for (name, socket) in sockets where !ended.contains(name) {
            guard try next(of: socket) == nil, !socket.isClosed else { return fail("something came in the end on \(name)") }
            if accepted.contains(name) {
                broker.receive(ByteBuffer(bytes: [0xC0, 0]), from: socket)
                broker.settle()
                #expect(try next(of: socket) == [0xD0, 0])
            }
        }
    }

    private func fail(_ text: String) {
        Issue.record("\(vector.id), \(shards) shards, \(isBytewise ? "byte by byte" : "whole"): \(text)")
    }

    /// Answers whether the broker did as the step says.
    private func take(_ step: WireVector.Step) throws -> Bool {
        if let seconds = step.wait {
            pass(seconds: seconds)
            return true
        }
        let name = try #require(step.on, "\(vector.id): a step is on no connection")
        let socket = self.socket(name)
        if let text = step.send {
            send(try WirePattern(text).bytes, on: socket)
        } else if let expected = step.expect {
            return try take(expected, anyOrder: step.anyOrder ?? false, on: socket, of: name)
        } else if step.closed == true {
            ended.insert(name)
            return waitUntil { socket.isClosed } && socket.toClient.readableBytes == 0
        } else {
            #expect(step.hangUp == true, "\(vector.id): a step says nothing")
            ended.insert(name)
            broker.lose(socket)
            broker.settle()
        }
        return true
    }

    private func take(_ expected: [String], anyOrder: Bool, on socket: SimulatedSocket, of name: String) throws -> Bool {
        var left = expected
        while !left.isEmpty {
            _ = waitUntil { socket.toClient.readableBytes > 0 || socket.isClosed }
            guard let packet = try next(of: socket) else { return false }
            let candidates = anyOrder ? left : [left[0]]
            guard let found = try candidates.first(where: { try WirePattern($0).matches(packet) }), let place = left.firstIndex(of: found)
            else {
                fail("\(packet.prefix(100)) came, and not \(candidates)")
                return false
            }
            left.remove(at: place)
            if packet[0] == 0x20 { accepted.insert(name) }
        }
        return true
    }

    private func socket(_ name: String) -> SimulatedSocket {
        if let (_, socket) = sockets.first(where: { $0.name == name }) { return socket }
        let info = ConnectionInfo(peer: "\(name):1", listener: "simulated", allowsAnonymous: true, principal: nil, terms: ListenerTerms())
        let socket = broker.connect(at: sockets.count % shards, info: info)
        sockets.append((name, socket))
        return socket
    }

    private func send(_ bytes: [UInt8], on socket: SimulatedSocket) {
        for piece in isBytewise ? bytes.map({ [$0] }) : [bytes] {
            broker.receive(ByteBuffer(bytes: piece), from: socket)
            broker.settle()
        }
    }

    private func pass(seconds: Double) {
        broker.advance(seconds: seconds)
        broker.settle()
    }

    /// What needs time comes in less than this; the clock is virtual.
    private func waitUntil(_ condition: () -> Bool) -> Bool {
        for _ in 0..<40 where !condition() { pass(seconds: 0.25) }
        return condition()
    }

    /// The next packet that the broker wrote.
    private func next(of socket: SimulatedSocket) throws -> [UInt8]? {
        let bytes = Array(socket.toClient.readableBytesView)
        var length = 0
        for place in 1..<5 where place < bytes.count {
            length |= Int(bytes[place] & 0x7F) << (7 * (place - 1))
            if bytes[place] < 0x80 {
                try #require(bytes.count >= place + 1 + length, "\(vector.id): half a packet came")
                return socket.toClient.readBytes(length: place + 1 + length)
            }
        }
        return nil
    }
}
