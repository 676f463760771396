/// Hash functions, which the host carries out, but for the one that no library has any more.
extension SQLFunction {
    static let digests: [SQLFunction] = [md2] + ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"].map { digest($0) }

    private static let md2 = SQLFunction("md2", 1) { evaluation, arguments throws(SQLEvaluationError) in
        guard let text = try evaluation.text(arguments[0]) else { return .undefined }
        // It takes some fifty look-ups for each byte: of the longest payload half of what a message may cost.
        try evaluation.budget.spend(steps: 4 * text.count)
        return .string(hexadecimal(MD2.digest(text)))
    }

    private static func digest(_ name: String) -> SQLFunction {
        let prepare: Preparation = { _, host throws(SQLArgumentProblem) in
            guard let digest = host.digest, digest(name, []) != nil else {
                throw SQLArgumentProblem(argument: .max, message: "function '\(name)' is not supported: there are no hash functions here")
            }
            return .digest(digest)
        }
        return SQLFunction(name, 1, prepare: prepare) { evaluation, arguments throws(SQLEvaluationError) in
            guard case .digest(let digest) = arguments.constant, let text = try evaluation.text(arguments[0]) else { return .undefined }
            return digest(name, Array(text)).map { .string(hexadecimal($0)) } ?? .undefined
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        let digits = Array("0123456789abcdef".utf8)
        return ArraySlice(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0x0F)]] })
    }
}
