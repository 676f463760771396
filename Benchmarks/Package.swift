// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that `swift build` of Crema builds no benchmark. The modules that are measured are symbolic links in
// `Modules`: in another package, what is `package` in them could not be reached. One executable per layer.

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")

let package = Package(
    name: "crema-benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        .target(name: "MQTTCodec", dependencies: [nioCore], path: "Modules/MQTTCodec"),
        .target(
            name: "BrokerCore",
            dependencies: [
                "MQTTCodec", nioCore, .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            path: "Modules/BrokerCore", exclude: ["Documentation.docc"]),
        .target(name: "Rules", path: "Modules/Rules"),
        .target(name: "Measurement", path: "Measurement"),
        .executableTarget(name: "CodecBench", dependencies: ["Measurement", "MQTTCodec", nioCore], path: "CodecBench"),
        .executableTarget(name: "RoutingBench", dependencies: ["Measurement", "BrokerCore", "MQTTCodec", nioCore], path: "RoutingBench"),
        .executableTarget(name: "PatternBench", dependencies: ["Measurement", "Rules"], path: "PatternBench"),
        .executableTarget(name: "LanguageBench", dependencies: ["Measurement", "Rules"], path: "LanguageBench"),
    ]
)

for target in package.targets {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableExperimentalFeature("Lifetimes"),
        .treatAllWarnings(as: .error),
    ]
}
