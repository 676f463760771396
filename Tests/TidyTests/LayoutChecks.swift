import Foundation

/// Settings in which two swift-format files differ, though they should not.
///
/// A nested file replaces the outer one, so it has to repeat it; only the rules in `relaxed` may differ.
func differingLayout(_ outer: TextFile, _ nested: TextFile, relaxed: Set<String>) throws -> [Finding] {
    let outerSettings = try settings(of: outer)
    let nestedSettings = try settings(of: nested)
    return Set(outerSettings.keys).union(nestedSettings.keys).sorted()
        .filter { !relaxed.contains($0) && outerSettings[$0] != nestedSettings[$0] }
        .map { Finding(path: nested.path, reason: "\($0) differs from \(outer.path)") }
}

/// The settings, with the rules among them, each as text.
private func settings(of file: TextFile) throws -> [String: String] {
    let object = try JSONSerialization.jsonObject(with: Data(file.text.utf8)) as? [String: Any] ?? [:]
    let rules = object["rules"] as? [String: Any] ?? [:]
    return object.merging(rules) { outer, _ in outer }.filter { $0.key != "rules" }.mapValues { "\($0)" }
}
