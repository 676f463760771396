import Console
import HTTPListening

/// The console, whose files anybody may have: what they show comes by calls of the API, with the reader's own token.
enum ConsoleTable {
    static let pages = PageTable(
        Dictionary(uniqueKeysWithValues: ConsoleFiles.all.map { ($0.key, PageFile(named: $0.key, bytes: $0.value)) }))
}
