import Foundation
import Rules

/// Files of data from elsewhere, which tests read where they are and pass without.
enum RecordedAnswers {
    /// The cases of a file in `shared/data/eventbridge`, looked for beside the repository, or nil where there is no such file.
    static func cases(in name: String) throws -> [JSONView]? { try root(of: name).map { Array($0.elements) } }

    /// The whole of such a file.
    static func root(of name: String) throws -> JSONView? {
        var folder = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let file = folder.appending(path: "shared/data/eventbridge/\(name)")
            if let data = try? Data(contentsOf: file) {
                let document = try JSONDocument(parsing: Array(data), limits: JSONLimits(bytesMax: 16 << 20))
                return document.root
            }
        }
        print("skipped: no shared/data/eventbridge/\(name) beside the repository")
        return nil
    }
}

/// Vectors of this repository.
enum Vectors {
    static func load(_ name: String) -> [JSONView] {
        do {
            let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/\(name)")
            return Array(try JSONDocument(parsing: Array(try Data(contentsOf: file))).root.elements)
        } catch {
            fatalError("vectors \(name): \(error)")
        }
    }
}

/// A generator whose run is known by its seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

func json(_ text: String) throws -> JSONView { try JSONDocument(parsing: Array(text.utf8)).root }

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

/// Whether two JSON texts mean the same, by Foundation's reading and not by the code under test.
func sameJSON(_ left: [UInt8], _ right: [UInt8]) throws -> Bool {
    func value(_ bytes: [UInt8]) throws -> NSObject? {
        try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) as? NSObject
    }
    guard let first = try value(left), let second = try value(right) else { return false }
    return first.isEqual(second)
}
