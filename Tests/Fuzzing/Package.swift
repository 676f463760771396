// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that nothing of Crema's is built with a fuzzer's instrumentation unless `.ci/fuzz.sh` asks for it. The
// modules under test are symbolic links: in another package, what is `package` in them could not be reached.

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")

let package = Package(
    name: "crema-fuzzing",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CLibFuzzer", path: "CLibFuzzer"),
        .target(name: "MQTTCodec", dependencies: [nioCore], path: "MQTTCodec"),
        .target(name: "WebSocketFraming", dependencies: [nioCore, nioWebSocket], path: "WebSocketFraming"),
        .target(name: "Rules", path: "Rules"),
        .systemLibrary(name: "COpenSSL", path: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CArgon2", path: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .target(name: "Trust", dependencies: ["CArgon2", "COpenSSL"], path: "Trust"),
        .target(name: "Tokens", dependencies: ["Rules", "Trust"], path: "Tokens"),
        .target(name: "Documents", dependencies: [.product(name: "Yams", package: "Yams")], path: "Documents"),
        .target(name: "Rights", dependencies: ["Documents"], path: "Rights"),
        .target(name: "FuzzDriver", dependencies: ["CLibFuzzer"], path: "FuzzDriver"),
        .executableTarget(name: "PacketDecoder", dependencies: ["FuzzDriver", "MQTTCodec", nioCore], path: "PacketDecoder"),
        .executableTarget(name: "ScramExchanges", dependencies: ["COpenSSL", "FuzzDriver", "Trust"], path: "ScramExchanges"),
        .executableTarget(name: "TokenReader", dependencies: ["FuzzDriver", "Rules", "Tokens", "Trust"], path: "TokenReader"),
        .executableTarget(name: "SignedRequests", dependencies: ["COpenSSL", "FuzzDriver", "Trust"], path: "SignedRequests"),
        .executableTarget(name: "PasswordFiles", dependencies: ["FuzzDriver", "Trust"], path: "PasswordFiles"),
        .executableTarget(name: "AccessFiles", dependencies: ["Documents", "FuzzDriver", "Rights"], path: "AccessFiles"),
        .executableTarget(name: "JSONTexts", dependencies: ["FuzzDriver", "Rules"], path: "JSONTexts"),
        .executableTarget(name: "EventPatterns", dependencies: ["FuzzDriver", "Rules"], path: "EventPatterns"),
        .executableTarget(name: "RuleStatements", dependencies: ["FuzzDriver", "Rules"], path: "RuleStatements"),
        .executableTarget(name: "MappingTemplates", dependencies: ["FuzzDriver", "Rules"], path: "MappingTemplates"),
        .executableTarget(name: "InputTransformers", dependencies: ["FuzzDriver", "Rules"], path: "InputTransformers"),
        .executableTarget(
            name: "WebSocketFrames", dependencies: ["FuzzDriver", "WebSocketFraming", nioCore, nioWebSocket], path: "WebSocketFrames"),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
        .strictMemorySafety(),
        .unsafeFlags(["-sanitize=fuzzer"]),  // coverage counters; the fuzzer itself is linked in by .ci/fuzz.sh
    ]
}
