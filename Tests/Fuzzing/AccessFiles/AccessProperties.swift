import Documents
import FuzzDriver
import Rights

/// What holds for every ACL file, and for whatever clients call themselves.
struct AccessProperties {
    private let client: PolicySubject
    private let asked: String
    private let text: String

    /// An input is a client identifier, a user (nobody where it is empty), a topic filter, and a file, with bytes between them that no text holds.
    init(input: [UInt8]) {
        let parts = input.split(separator: 0xFF, maxSplits: 3, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        func part(_ place: Int) -> String { place < parts.count ? parts[place] : "" }
        client = PolicySubject(clientID: part(0), principal: part(1).isEmpty ? nil : part(1))
        (asked, text) = (part(2), part(3))
    }

    func check() {
        do throws(DocumentError) {
            let file = try AccessFile(file: "acl", text: text)
            let book = try PolicyBook(templates: [], attached: nil, accessFile: file)
            check(file, book.grants(of: client))
        } catch {
            let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
            require(!error.problems.isEmpty, "an error without a problem")
            for problem in error.problems {
                require((1...lines).contains(problem.location.line), "a problem in line \(problem.location.line) of \(lines)")
            }
        }
    }

    private func check(_ file: AccessFile, _ grants: Grants) {
        let topics = Self.topics(of: asked)
        if file.lineCount == 0 {
            // CVE-2018-12550: an empty file is no leave.
            for topic in topics { require(!grants.decide(.receive, topic).isAllowed, "an empty file lets a client read") }
            require(!grants.decide(.subscribe, asked).isAllowed && !grants.decide(.publish, asked).isAllowed, "an empty file grants")
        }
        guard grants.decide(.subscribe, asked).isAllowed else { return }
        // What a filter that is granted leads to is granted, unless a line takes it back.
        for topic in topics {
            switch grants.decide(.receive, topic) {
            case .granted, .withheld: continue
            default: refuse("the filter is granted, and its topic is not: '\(topic)'")
            }
        }
    }

    /// Topics that a filter matches; none where it is no filter.
    private static func topics(of filter: String) -> [String] {
        let parts = filter.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let levels = parts.map { String(decoding: $0, as: UTF8.self) }
        let isFilter = levels.enumerated().allSatisfy { place, level in
            let isWild = level == "+" || (level == "#" && place == levels.count - 1)
            return isWild || !level.utf8.contains { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "#") || $0 == 0 }
        }
        guard isFilter, !filter.isEmpty, levels.count <= 64 else { return [] }
        let endings = levels.last == "#" ? [["x"], ["x", "y"], levels.count > 1 ? [] : ["z"]] : [[]]
        let names = levels.last == "#" ? levels.dropLast() : levels[...]
        let texts = endings.flatMap { ending in
            ["a", ""].map { one in (names.map { $0 == "+" ? one : $0 } + ending).joined(separator: "/") }
        }
        // A wildcard in the first level means no topic of the broker's own, and there is no empty topic.
        return texts.filter { !$0.isEmpty && !($0.hasPrefix("$") && !filter.hasPrefix("$")) }
    }
}
