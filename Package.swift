// swift-tools-version: 6.2
import PackageDescription

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "crema",
    products: [
        .executable(name: "crema", targets: ["crema"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // What the core is made of; every arrow is checked by TidyTests.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLibSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .target(name: "Trust", dependencies: ["CArgon2", "COpenSSL"]),
        .target(name: "MQTTCodec", dependencies: [nioCore]),
        .target(name: "Rules"),
        .target(name: "Tokens", dependencies: ["Rules", "Trust"]),
        .target(name: "Documents", dependencies: [.product(name: "Yams", package: "Yams")]),
        .target(name: "Rights", dependencies: ["Documents"]),
        .target(name: "BrokerCore", dependencies: ["MQTTCodec", nioCore, deque, heap]),
        .target(name: "Records"),
        .target(name: "BrokerStore", dependencies: ["BrokerCore", "MQTTCodec", "Records", nioCore, logging, grdb, sqlite]),
        // For the tests of the store; nothing else depends on it (record 0021).
        .target(name: "FaultyDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "Queues", dependencies: ["Records", "Rules", deque, heap]),
        .target(
            name: "EventBus",
            dependencies: ["Rules", "BrokerCore", "Documents", "MQTTCodec", "Queues", "Records", nioCore, deque, heap, logging]),
        .target(name: "Things", dependencies: ["Documents", "EventBus", "Records", "Rights", "Rules", "Trust"]),
        .target(name: "OutboundHTTP", dependencies: ["EventBus", nioCore, nioHTTP, nioPosix, nioSSL, httpClient]),
        .target(name: "WebSocketFraming", dependencies: [nioCore, nioWebSocket]),
        .target(
            name: "BrokerServer",
            dependencies: [
                "BrokerCore", "HTTPExchange", "MQTTCodec", "Rights", "Tokens", "Trust", "WebSocketFraming", nioCore, nioHTTP, nioPosix,
                nioSSL, nioTLS, nioWebSocket, deque, logging,
            ]),
        .target(name: "HTTPExchange", dependencies: ["BrokerCore", nioCore, nioHTTP, logging]),
        .target(
            name: "HTTPListening",
            dependencies: [
                "HTTPExchange", "BrokerCore", nioCore, nioHTTP, nioHTTPTypes, nioHTTPTypesHTTP1, hummingbird, hummingbirdCore, httpTypes,
                lifecycle, logging,
            ]),
        .target(
            name: "Gateway",
            dependencies: [
                "EventBus", "HTTPExchange", "HTTPListening", "BrokerCore", "Documents", "MQTTCodec", "Queues", "Rights", "Rules",
                "Things", "Tokens", "Trust", nioCore, nioHTTP, hummingbird, httpTypes, lifecycle, logging,
            ]),
        // The console's files, which the C compiler puts into the program (record 0030).
        .target(name: "ConsolePages", exclude: ["pages"]),
        .target(name: "Console", dependencies: ["ConsolePages"]),
        .target(
            name: "AdminServer",
            dependencies: [
                "Console", "EventBus", "HTTPExchange", "HTTPListening", "BrokerCore", "MQTTCodec", "Queues", "Rules", nioCore,
                hummingbird, httpTypes,
                lifecycle, logging,
            ]),
        .target(
            name: "LoadGenerator",
            dependencies: [
                "CLibSSL", "MQTTCodec", "WebSocketFraming", nioCore, nioPosix, nioSSL, nioWebSocket,
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ]
        ),
        .target(
            name: "CremaTesting",
            dependencies: [
                "BrokerCore", "MQTTCodec", "Records", "Tokens", "Trust", nioCore, nioEmbedded, nioPosix, hummingbird, httpTypes, lifecycle,
                logging,
            ]),
        .executableTarget(
            name: "crema",
            dependencies: [
                "AdminServer", "BrokerCore", "BrokerServer", "BrokerStore", "Documents", "EventBus", "Gateway", "HTTPListening",
                "LoadGenerator",
                "MQTTCodec",
                "OutboundHTTP", "Queues", "Records", "Rights", "Things", "Tokens", "Trust", nioCore, nioHTTP, nioPosix, nioSSL, logging,
                arguments,
                httpClient,
                lifecycle,
                signals,
            ],
            exclude: ["Shop"]
        ),

        .testTarget(name: "MQTTCodecTests", dependencies: ["MQTTCodec", nioCore], exclude: ["Vectors"]),
        .testTarget(name: "RulesTests", dependencies: ["Rules"], exclude: ["Vectors"]),
        .testTarget(
            name: "ThingsTests",
            dependencies: ["Things", "CremaTesting", "Documents", "EventBus", "Records", "Rights", "Trust"]),
        .testTarget(name: "RightsTests", dependencies: ["Rights", "CremaTesting", "Documents"]),
        .testTarget(name: "TrustTests", dependencies: ["Trust", subprocess, system], exclude: ["Vectors"]),
        .testTarget(name: "TokensTests", dependencies: ["Tokens", "CremaTesting", "Rules", "Trust"], exclude: ["Vectors"]),
        .testTarget(name: "DocumentsTests", dependencies: ["Documents"]),
        .testTarget(name: "BrokerCoreTests", dependencies: ["BrokerCore", "CremaTesting", "MQTTCodec", nioCore]),
        .testTarget(
            name: "BrokerStoreTests",
            dependencies: ["BrokerStore", "BrokerCore", "CremaTesting", "FaultyDisk", "MQTTCodec", "Records", nioCore, logging, grdb]),
        .testTarget(name: "SimulationTests", dependencies: ["BrokerCore", "CremaTesting", "MQTTCodec", nioCore]),
        .testTarget(name: "QueuesTests", dependencies: ["Queues", "CremaTesting", "Records"]),
        .testTarget(
            name: "EventBusTests",
            dependencies: ["EventBus", "BrokerCore", "CremaTesting", "Documents", "MQTTCodec", "Queues", "Records", nioCore, logging]),
        .testTarget(
            name: "BrokerServerTests",
            dependencies: [
                "BrokerServer", "BrokerCore", "CremaTesting", "Documents", "HTTPExchange", "MQTTCodec", "Rights", "Tokens", "Trust",
                "WebSocketFraming",
                nioCore, nioEmbedded, nioHTTP, nioPosix, logging, subprocess, system,
            ]),
        .testTarget(name: "HTTPExchangeTests", dependencies: ["HTTPExchange", nioCore, nioEmbedded, nioHTTP]),
        .testTarget(name: "WebSocketFramingTests", dependencies: ["WebSocketFraming", "CremaTesting", nioCore, nioWebSocket]),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "BrokerCore", "BrokerServer", "CremaTesting", "Documents", "EventBus", "HTTPListening", "Queues", "Rights",
                "Rules", "Things", "Tokens", "Trust",
                nioCore, nioEmbedded, nioPosix, hummingbird, hummingbirdTesting, httpClient, httpTypes, nioHTTP, lifecycle, logging,
            ]),
        .testTarget(
            name: "AdminServerTests",
            dependencies: [
                "AdminServer", "BrokerCore", "Console", "CremaTesting", "Documents", "EventBus", "MQTTCodec", "Queues", nioCore, nioHTTP,
                nioEmbedded, nioPosix,
                hummingbird, hummingbirdTesting, httpClient, httpTypes, lifecycle, logging,
            ]),
        .testTarget(
            name: "OutboundHTTPTests", dependencies: ["OutboundHTTP", "EventBus", "Documents", "Trust", nioCore, nioHTTP, nioPosix, nioSSL]),
        .testTarget(name: "LoadGeneratorTests", dependencies: ["LoadGenerator", "MQTTCodec", nioCore, nioPosix]),
        .testTarget(name: "TidyTests", dependencies: [subprocess, system]),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),  // SE-0335
            .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
            .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),  // SE-0461
            .enableUpcomingFeature("InferIsolatedConformances"),  // SE-0470
            .enableExperimentalFeature("Lifetimes"),  // spans returned from functions
            .treatAllWarnings(as: .error),
        ]
    if target.type != .test {
        target.swiftSettings?.append(.strictMemorySafety())  // SE-0458
    }
}

// The modules of the hot path: the law of exclusive access is watched by the tests, which run with its checks (record 0010).
for target in package.targets where ["BrokerCore", "BrokerServer", "MQTTCodec"].contains(target.name) {
    target.swiftSettings?.append(.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)))
}
