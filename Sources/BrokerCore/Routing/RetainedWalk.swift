package import NIOCore

/// A walk through the tree of retained topics, a part at a time, so that nobody waits for the store for long.
///
/// Comes to topics in no order. One that comes or goes meanwhile may be seen or not; every other is seen once. The names below one name are
/// noted together, which takes a few nanoseconds each.
package struct RetainedWalk: Sendable {
    /// Nodes of the tree that a part looks at, unless it is told otherwise.
    package static let nodesAtOnce = 1_000

    /// What leads one level down.
    enum Step {
        case name(ByteBuffer)
        /// `+`
        case any
        /// `#`: here, and all that is below.
        case rest
    }

    /// A node that is still to be looked at.
    struct Place {
        let node: Int
        /// Another one's when the node was used again for another topic.
        let serial: UInt64
        /// Steps that lead here.
        let depth: Int
    }

    let steps: [Step]
    var pending = [Place(node: 0, serial: 0, depth: 0)]

    /// Whether there is nothing left to look at.
    package var isOver: Bool { pending.isEmpty }

    /// Comes to the topics that a valid filter matches.
    package init(filter: ByteBuffer) {
        steps = filter.topicLevels.map { level in
            level.isSingleByte(UInt8(ascii: "#")) ? .rest : level.isSingleByte(UInt8(ascii: "+")) ? .any : .name(level)
        }
    }

    /// Comes to the names one level below a topic, or the beginning of topics; below `nil` to the first level, without the broker's own.
    package init(below parent: ByteBuffer?) {
        steps = (parent.map { Array($0.topicLevels) } ?? []).map { .name($0) } + [.any]
    }
}

extension RetainedStore {
    /// The topics of the next part of a walk.
    package func topics(on walk: inout RetainedWalk, looking most: Int = RetainedWalk.nodesAtOnce) -> [ByteBuffer] {
        withState { $0.part(of: &walk, looking: most) { $0.topic } }
    }

    /// The names of the next part of a walk, topics or not.
    package func names(on walk: inout RetainedWalk, looking most: Int = RetainedWalk.nodesAtOnce) -> [RetainedChild] {
        withState {
            $0.part(of: &walk, looking: most) {
                RetainedChild(name: $0.name, isTopic: $0.topic != nil, children: $0.children.count)
            }
        }
    }
}

extension RetainedStore.State {
    /// Goes on with a walk; answers what is made of the nodes at its end.
    fileprivate func part<Row>(of walk: inout RetainedWalk, looking most: Int, _ row: (RetainedStore.Node) -> Row?) -> [Row] {
        var rows: [Row] = []
        var looked = 0
        while looked < most, let place = walk.pending.popLast() {
            looked += 1
            guard place.node < nodes.count, nodes[place.node].serial == place.serial else { continue }
            guard place.depth < walk.steps.count else {
                if let row = row(nodes[place.node]) { rows.append(row) }
                continue
            }
            switch walk.steps[place.depth] {
            case .name(let name):
                if let child = nodes[place.node].children[name] { note(child, place.depth + 1, in: &walk) }
            case .any: looked += noteChildren(of: place.node, place.depth + 1, in: &walk)
            case .rest:
                if let row = row(nodes[place.node]) { rows.append(row) }
                looked += noteChildren(of: place.node, place.depth, in: &walk)
            }
        }
        return rows
    }

    private func note(_ node: Int, _ depth: Int, in walk: inout RetainedWalk) {
        walk.pending.append(RetainedWalk.Place(node: node, serial: nodes[node].serial, depth: depth))
    }

    /// Answers how many there are.
    private func noteChildren(of node: Int, _ depth: Int, in walk: inout RetainedWalk) -> Int {
        for (name, child) in nodes[node].children where !(node == 0 && RetainedStore.isSystem(name)) {
            note(child, depth, in: &walk)  // [MQTT-4.7.2-1] [MQTT5-4.7.2-1]
        }
        return nodes[node].children.count
    }
}
