// swift-tools-version: 6.2
import PackageDescription

// What Autobahn's fuzzing client talks to, in a package of its own that `.ci/autobahn.sh` builds: it drives a server that echoes, which the
// broker is not. The framing is a symbolic link: in another package, what is `package` in it could not be reached.

let nio = ["NIOCore", "NIOPosix", "NIOHTTP1", "NIOWebSocket"].map { Target.Dependency.product(name: $0, package: "swift-nio") }

let package = Package(
    name: "crema-websocket-conformance",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2")
    ],
    targets: [
        .target(name: "WebSocketFraming", dependencies: nio, path: "WebSocketFraming"),
        .executableTarget(name: "EchoServer", dependencies: ["WebSocketFraming"] + nio, path: "EchoServer"),
    ]
)

for target in package.targets {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .treatAllWarnings(as: .error),
    ]
}
