/// `x-amazon-apigateway-cors`: which web pages of other origins may call an HTTP API.
package struct CrossOriginPolicy: Sendable, Equatable {
    package var origins: [String] = []
    package var methods: [String] = []
    package var headers: [String] = []
    package var exposedHeaders: [String] = []
    package var maxAgeSeconds: Int?
    package var allowsCredentials = false

    init(_ node: Node, resolver: IntrinsicResolver) throws(DocumentError) {
        let what = "x-amazon-apigateway-cors"
        let known = ["allowOrigins", "allowMethods", "allowHeaders", "exposeHeaders", "maxAge", "allowCredentials"]
        for entry in try node.entries(what, known: known) {
            let value = resolver.resolve(entry.value)
            switch entry.key {
            case "maxAge": maxAgeSeconds = try value.integer(entry.key, in: -1...86_400)
            case "allowCredentials": allowsCredentials = try value.boolean(entry.key)
            default:
                var texts: [String] = []
                for element in try value.elements(entry.key) { texts.append(try element.text(entry.key)) }
                switch entry.key {
                case "allowOrigins": origins = texts
                case "allowMethods": methods = texts.map { $0.uppercased() }
                case "allowHeaders": headers = texts
                default: exposedHeaders = texts
                }
            }
        }
        if allowsCredentials, ([origins, methods, headers, exposedHeaders].contains { $0.contains("*") }) {
            throw DocumentError("\(what): allowCredentials does not go with `*`", at: node.location)
        }
    }
}
