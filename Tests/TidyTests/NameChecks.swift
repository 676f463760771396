/// Paths whose names say nothing of what is inside, or that break simple tools.
func badNames(_ paths: [String]) -> [Finding] {
    let anywhere: Set = ["Utils", "Util", "Utilities", "Helper", "Helpers", "Common", "Manager", "Managers", "Extensions", "New", "Misc"]
    let endings = ["Utils", "Utilities", "Helper", "Helpers", "Manager", "Managers", "Extensions"]
    return paths.flatMap { path -> [Finding] in
        var findings: [Finding] = []
        if path.contains(where: \.isWhitespace) { findings.append(Finding(path: path, reason: "a space in a path")) }
        for part in path.split(separator: "/") {
            let stem = part.prefix { $0 != "." }
            let vague = anywhere.contains { $0.lowercased() == stem.lowercased() } || endings.contains { stem.hasSuffix($0) }
            if vague { findings.append(Finding(path: path, reason: "\(stem) names no concept of the domain")) }
        }
        return findings
    }
}
