/// The end of a message about an unknown name: the name that was probably meant, or all there are.
///
/// A suggestion must be closer than a third of its length, so that `xyz` does not suggest `key`.
package func suggestion(for name: String, among known: [String]) -> String {
    guard let nearest = nearestName(to: name, among: known) else {
        return known.isEmpty ? "" : "; known: \(known.sorted().joined(separator: ", "))"
    }
    return "; did you mean `\(nearest)`?"
}

func nearestName(to name: String, among known: [String]) -> String? {
    let wanted = Array(name.lowercased().unicodeScalars.prefix(64))
    var best: (name: String, distance: Int)?
    for candidate in known {
        let letters = Array(candidate.lowercased().unicodeScalars)
        let distance = editDistance(wanted, letters)
        guard distance * 3 <= max(letters.count, 3) else { continue }
        if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.name
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to turn one word into the other.
private func editDistance(_ from: [Unicode.Scalar], _ to: [Unicode.Scalar]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...to.count)
    for (row, letter) in from.enumerated() {
        var current = [row + 1]
        current.reserveCapacity(to.count + 1)
        for (column, other) in to.enumerated() {
            let replaced = previous[column] + (letter == other ? 0 : 1)
            var distance = min(replaced, previous[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, letter == to[column - 1], other == from[row - 1] {
                distance = min(distance, beforePrevious[column - 1] + 1)
            }
            current.append(distance)
        }
        (beforePrevious, previous) = (previous, current)
    }
    return previous[to.count]
}
