/// One rendering of a template.
struct VTLEvaluation {
    /// What follows a statement.
    enum Flow { case next, leaveLoop, stop }

    struct LoopState {
        var index: Int
        var isLast: Bool
    }

    let program: VTLProgram
    let input: VTLInput
    var variables: [VTLValue]
    var heap = VTLHeap()
    /// What became of the objects and arrays from JSON that the template changed.
    var changed: [JSONPlace: ChangedJSON] = [:]
    /// Innermost last.
    var loops: [LoopState] = []
    private(set) var output: [UInt8] = []
    /// What the response has in place of what is mapped.
    var overrides = VTLOverrides()
    private var steps = VTLTemplate.stepsMax
    var stepsLeft: Int { steps }
    private var bytes = VTLTemplate.workBytesMax
    private var regexSteps = VTLTemplate.regexStepsMax
    /// Those that do not make a step yet.
    private var comparisons = 0

    init(_ program: VTLProgram, _ input: VTLInput) {
        self.program = program
        self.input = input
        variables = Array(repeating: .null, count: program.slotCount)
    }

    mutating func run() throws(VTLFailure) {
        _ = try run(program.statements)
    }

    // MARK: What it may cost

    mutating func spend(steps count: Int) throws(VTLFailure) {
        steps -= count
        guard steps >= 0 else { throw .tooManySteps }
    }

    /// Sixteen bytes that are compared make a step.
    mutating func spend(comparisons count: Int) throws(VTLFailure) {
        comparisons += count
        guard comparisons >= 16 else { return }
        try spend(steps: comparisons / 16)
        comparisons %= 16
    }

    mutating func spend(bytes count: Int) throws(VTLFailure) {
        bytes -= count
        guard bytes >= 0 else { throw .workTooLarge }
    }

    /// Runs a search that counts its steps down, and answers nil where they did not suffice.
    mutating func search<Found>(_ body: (inout Int) -> Found?) throws(VTLFailure) -> Found? {
        let found = body(&regexSteps)
        guard regexSteps >= 0 else { throw .regexTooSlow }
        return found
    }

    // MARK: Statements

    // Recursion is as deep as the template is written, at most ``VTLTemplate/nestingMax``.
    private mutating func run(_ statements: [VTLStatement]) throws(VTLFailure) -> Flow {
        for statement in statements {
            try spend(steps: 1)
            switch statement {
            case .text(let text): try write(text)
            case .reference(let reference, let backslashes): try write(reference, after: backslashes)
            case .set(let slot, let expression): variables[slot] = try value(of: expression)
            case .setPart(let reference, let expression): try set(reference, try value(of: expression))
            case .branches(let branches):
                let flow = try run(branches)
                if flow != .next { return flow }
            case .loop(let loop):
                if try run(loop) == .stop { return .stop }
            case .override(let part, let expression): try replace(part, try value(of: expression))
            case .leaveLoop: return .leaveLoop
            case .stop: return .stop
            }
        }
        return .next
    }

    private mutating func run(_ branches: [VTLBranch]) throws(VTLFailure) -> Flow {
        for branch in branches {
            if let condition = branch.condition {
                guard try value(of: condition).isTrue else { continue }
            }
            return try run(branch.body)
        }
        return .next
    }

    /// The loop's variable has its former value afterwards.
    private mutating func run(_ loop: VTLLoop) throws(VTLFailure) -> Flow {
        let elements = try elements(of: try value(of: loop.elements))
        guard elements.count <= VTLTemplate.loopPassesMax else { throw .tooManyPasses }
        let former = variables[loop.slot]
        loops.append(LoopState(index: 0, isLast: false))
        defer {
            loops.removeLast()
            variables[loop.slot] = former
        }
        for (index, element) in elements.enumerated() {
            try spend(steps: 1)
            loops[loops.count - 1] = LoopState(index: index, isLast: index == elements.count - 1)
            variables[loop.slot] = element
            switch try run(loop.body) {
            case .next: break
            case .leaveLoop: return .next
            case .stop: return .stop
            }
        }
        return .next
    }

    /// What `#foreach` goes through: elements, and the values of a map; nothing of what is neither.
    private mutating func elements(of value: VTLValue) throws(VTLFailure) -> [VTLValue] {
        switch value {
        case .list(let place): return heap.lists[place]
        case .map(let place): return heap.maps[place].entries.map(\.value)
        case .json(let view):
            guard view.count <= VTLTemplate.loopPassesMax else { throw .tooManyPasses }
            try spend(steps: view.count)
            return view.kind == .array ? view.elements.map { VTLValue($0) } : view.members.map { VTLValue($0.value) }
        case .null, .boolean, .integer, .decimal, .text, .entry: return []
        }
    }

    // MARK: Output

    private mutating func write(_ text: ArraySlice<UInt8>) throws(VTLFailure) {
        guard output.count + text.count <= VTLTemplate.resultBytesMax else { throw .resultTooLong }
        output += text
    }

    /// An odd number of `\` before a reference that has a meaning takes it away, and two stand for one.
    private mutating func write(_ reference: VTLReference, after backslashes: Int) throws(VTLFailure) {
        let backslash = UInt8(ascii: "\\")
        try write(ArraySlice(repeatElement(backslash, count: backslashes / 2)))
        guard backslashes % 2 == 0 else { return try write(reference.source) }
        try write(try text(of: try value(of: reference)))
    }

    /// What a string with references stands for.
    mutating func text(of statements: [VTLStatement]) throws(VTLFailure) -> ArraySlice<UInt8> {
        let outer = output
        output = []
        // A failure ends the rendering, so nobody misses the text around.
        _ = try run(statements)
        defer { output = outer }
        try spend(bytes: output.count)
        return output[...]
    }
}

extension JSONView {
    /// How many elements or members there are, superseded ones among them.
    var count: Int {
        let node = tape.nodes[index]
        return node.isContainer ? Int(node.extra) : 0
    }
}
