// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the simulated worlds of SimulationTests run in release, without the tests of everything else being built
// for it: see `.ci/simulate.sh`. What is simulated are symbolic links: in another package, what is `package` in it could not be reached.

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

let package = Package(
    name: "crema-simulating",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        .target(name: "MQTTCodec", dependencies: [nioCore], path: "MQTTCodec"),
        .target(name: "BrokerCore", dependencies: ["MQTTCodec", nioCore, deque, heap], path: "BrokerCore"),
        .target(name: "CremaTesting", dependencies: ["BrokerCore", "MQTTCodec", nioCore], path: "CremaTesting/Simulation"),
        .executableTarget(
            name: "Campaign", dependencies: ["BrokerCore", "CremaTesting", "MQTTCodec", nioCore], path: "Campaign",
            exclude: ["World/SimulationTests.swift"]),
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
