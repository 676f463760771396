/// Random patterns and events over few names and values, so that they often meet.
struct PatternGenerator {
    var random: SeededGenerator

    private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func scalar() -> String {
        pick([
            #""x""#, #""xy""#, #""xyz""#, #""XY""#, #""yx""#, #""éx""#, #""ÉX""#, #""""#, #""10.0.0.1""#, #""10.1.0.9""#, "1", "1.0",
            "10e-1", #""::1""#, #""0:0:0:0:0:0:0:1""#, #""fe80::a""#,
            "2", "-3.5", "100", "true", "false", "null",
        ])
    }

    // MARK: Events

    mutating func event(depth: Int = 3, dots: Bool) -> String {
        let names = dots ? ["a", "b", "c", "a.b", "b.c"] : ["a", "b", "c"]
        let members = names.compactMap { name -> String? in chance(65) ? "\"\(name)\":\(value(depth: depth - 1, dots: dots))" : nil }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func value(depth: Int, dots: Bool) -> String {
        // So many values are found by their hash, not one by one.
        if chance(3) {
            let elements = (0..<40).map { _ in depth > 1 && chance(20) ? event(depth: 1, dots: dots) : scalar() }
            return "[" + elements.joined(separator: ",") + "]"
        }
        if depth > 0, chance(45) { return event(depth: depth, dots: dots) }
        if depth > 0, chance(50) {
            let count = Int.random(in: 0...3, using: &random)
            return "[" + (0..<count).map { _ in value(depth: depth - 1, dots: dots) }.joined(separator: ",") + "]"
        }
        return scalar()
    }

    // MARK: Patterns

    mutating func pattern() -> String {
        var members = fields(upTo: 4)
        if chance(25) {
            let or = alternatives(depth: 2)
            // A key that comes twice is a matter of its own.
            let isTaken = members.contains { $0.hasPrefix("\"a\":") }
            members.insert(isTaken || chance(50) ? or : "\"a\":{\(or)}", at: chance(50) ? 0 : members.count)
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private mutating func alternatives(depth: Int) -> String {
        let branches = (0..<Int.random(in: 2...3, using: &random)).map { _ -> String in
            var members = fields(upTo: 2)
            if depth > 1, chance(25) { members.append(alternatives(depth: depth - 1)) }
            return "{" + members.joined(separator: ",") + "}"
        }
        return "\"$or\":[\(branches.joined(separator: ","))]"
    }

    private mutating func fields(upTo count: Int) -> [String] {
        let paths = ["a", "b", "c", "a.a", "a.b", "a.c", "b.a", "b.b", "b.c", "a.b.c", "a.a.b", "a.b.a"]
        let chosen = Set((0..<Int.random(in: 1...count, using: &random)).map { _ in pick(paths) })
        return chosen.sorted().map { path -> String in
            // What many conditions are is looked up, not tried one by one.
            let conditions = (0..<(chance(5) ? 12 : Int.random(in: 1...2, using: &random))).map { condition(hasWildcards: $0 < 2) }
            return "\"\(path)\":[\(conditions.joined(separator: ","))]"
        }
    }

    private mutating func condition(hasWildcards: Bool) -> String {
        if chance(hasWildcards ? 45 : 10) { return scalar() }
        let text = "\"\(pick(["x", "xy", "X", "", "é", "yx"]))\""
        switch Int.random(in: 0..<11, using: &random) {
        case 10: return "{\"exactly\":\(text)}"
        case 0: return "{\"prefix\":\(text)}"
        case 1: return "{\"suffix\":\(text)}"
        case 2: return "{\"equals-ignore-case\":\(text)}"
        case 3: return "{\"\(pick(["prefix", "suffix"]))\":{\"equals-ignore-case\":\(text)}}"
        case 4 where hasWildcards: return "{\"wildcard\":\"\(pick(["*", "x*", "*y", "*y*", "x*z", "é*", ""]))\"}"
        case 5: return "{\"numeric\":\(pick(["[\"=\",1]", "[\">\",1]", "[\"<=\",2]", "[\">\",0,\"<\",2]", "[\">=\",-3.5,\"<=\",-3]"]))}"
        case 6:
            return
                "{\"cidr\":\"\(pick(["10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/30", "0.0.0.0/0", "::/1", "::/64", "fe80::/10", "::1/127"]))\"}"
        case 7, 8, 4: return "{\"exists\":\(pick(["true", "false", "false"]))}"
        default: return "{\"anything-but\":\(exclusion(text, hasWildcards: hasWildcards))}"
        }
    }

    private mutating func exclusion(_ text: String, hasWildcards: Bool) -> String {
        switch Int.random(in: 0..<(hasWildcards ? 6 : 5), using: &random) {
        case 0: text
        case 1: pick(["1", "[1,2]", "[\"x\",\"xy\"]", "[\"::1\"]", "[3,4,5,6,7,8,9,10,2]"])
        case 4: "{\"\(pick(["prefix", "suffix", "equals-ignore-case"]))\":[\"q\",\"r\",\"s\",\"t\",\"u\",\"v\",\"w\",\"X\",\"y\",\"éx\"]}"
        case 2: "{\"\(pick(["prefix", "suffix"]))\":[\"x\",\"z\"]}"
        case 3: "{\"equals-ignore-case\":\(text)}"
        default: "{\"wildcard\":\"\(pick(["x*", "*y*"]))\"}"
        }
    }
}
