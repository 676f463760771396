/// The parameters of a query, decoded; of several with one name the first.
struct QueryParameters {
    private(set) var values: [String: String] = [:]

    init(_ query: Substring?) {
        for pair in query?.split(separator: "&") ?? [] {
            let name = pair.prefix { $0 != "=" }
            guard let key = PercentEncoding.decode(name, plusIsSpace: true), values[key] == nil else { continue }
            values[key] = PercentEncoding.decode(pair.dropFirst(name.count + 1), plusIsSpace: true)
        }
    }

    subscript(name: String) -> String? { values[name] }
}
